"""For all tests: bytes never name a test, and how long hypothesis takes is no failure.

Bytes may be key material, which no output shows; and where they are drawn anew in each process, pytest-xdist's workers would
not agree on what there is to run. Hypothesis's own limits of time fail on a busy machine, and say nothing about the code.
"""

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """The argument's name stands for its bytes; pytest numbers those that are alike. None: pytest's own way."""
    return argname if isinstance(val, (bytes, bytearray)) else None
