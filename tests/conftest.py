"""For all tests: nothing reaches AWS, bytes and long texts never name a test, and hypothesis has no time limits.

The tests have no AWS credentials, not even those of the person who runs them, and connect only to this machine.

Bytes and long texts may be key material (a PEM), which no output may show. And where each process draws them anew,
pytest-xdist's workers would not agree on the list of tests. Hypothesis's time limits fail on a busy machine, and say nothing
about the code.
"""

import ipaddress
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The local AWS of a run, the application with alarms in it, and the bucket for answers.
pytest_plugins = ["tests.support.scene", "tests.support.on_call", "tests.support.bucket"]

NO_CREDENTIALS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
E2E = Path(__file__).parent / "e2e"
NAME_MAX_CHARACTERS = 64  # a check value by SHA-256 is longer

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


class LeftThisMachine(Exception):
    """A test tried to reach another machine."""


_connect = socket.socket.connect


def _connect_here(self: socket.socket, address: Any) -> None:
    if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(str(address[0])):
        raise LeftThisMachine(f"A test must not connect to {address[0]}.")
    _connect(self, address)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def pytest_configure() -> None:
    """Also the programs that tests start get this environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(NO_CREDENTIALS)
    socket.socket.connect = _connect_here  # type: ignore[method-assign]  # for all clients of this process


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """The argument's name stands for its value; pytest numbers those that are alike. None: pytest's own way."""
    is_long = isinstance(val, str) and len(val) > NAME_MAX_CHARACTERS
    return argname if is_long or isinstance(val, (bytes, bytearray)) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spreads the tests that mostly wait over the run: side by side, they would leave the processors idle.

    What waits longest comes first: groups that share a local AWS, then the end-to-end tests, in reverse order because of the
    updates.
    """
    groups = [item for item in items if item.get_closest_marker("xdist_group")]
    alone = [
        item for item in reversed(items) if E2E in item.path.parents and not item.get_closest_marker("xdist_group")
    ]
    waiting = [*groups, *alone]
    known = set(waiting)
    others = [item for item in items if item not in known]
    step = len(others) // len(waiting) if waiting else 0
    spread = [
        one for number, item in enumerate(waiting) for one in (item, *others[number * step : (number + 1) * step])
    ]
    items[:] = [*spread, *others[len(waiting) * step :]]
