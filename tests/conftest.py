"""For all tests: bytes and long texts never name a test, and how long hypothesis takes is no failure.

Both may be key material (a PEM), which no output shows; and where they are drawn anew in each process, pytest-xdist's workers
would not agree on what there is to run. Hypothesis's own limits of time fail on a busy machine, and say nothing about the code.
"""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.scene", "tests.support.bucket"]  # the local AWS of a run, and the bucket for answers

NAME_MAX_CHARACTERS = 64  # a check value by SHA-256 is longer

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """The argument's name stands for its value; pytest numbers those that are alike. None: pytest's own way."""
    is_long = isinstance(val, str) and len(val) > NAME_MAX_CHARACTERS
    return argname if is_long or isinstance(val, (bytes, bytearray)) else None
