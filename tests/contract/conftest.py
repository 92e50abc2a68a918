import re
from collections.abc import Callable
from typing import Any

import pytest

from lab.world import World
from tests.support.deployed import deployed
from tests.support.timeline import Timeline

BELIEVED_AFTER_SECONDS = 60  # a "no" of CloudFormation's: statuses may lag


@pytest.fixture
def world():
    with World() as world:
        yield world


@pytest.fixture
def refused(world) -> Callable[..., str]:
    """Creates what is to be refused, and gives the reason, once it is shown that nothing whatever happened to KMS.

    Behind the property stands which secret and which version of it was read, `(secret NAME, version ID)`. It is compared here
    with what Secrets Manager gave away, and left out of what is given.
    """

    def refused(key_id: str, **properties: object) -> str:
        world.secrets.given.clear()
        before, changes = world.snapshot(), world.changes()
        answer = world.create(key_id, **properties)
        assert answer["Status"] == "FAILED", answer
        assert answer["PhysicalResourceId"] == f"not-imported:Material:{answer['RequestId']}"
        assert world.changes() == changes
        assert world.snapshot() == before
        reason, end = answer["Reason"], " Nothing was imported."
        assert reason.endswith(end)
        return without_names(world, reason.removesuffix(end))

    return refused


def without_names(world: World, reason: str) -> str:
    """The reason without the secret's name and version, which stand in all that is said of a value that was read."""
    read = {f"secret {name}, version {version_id}" for name, version_id in world.secrets.given}
    named = re.findall(r" \((secret [^)]*)\):", reason)
    assert {one for one in named if ", version " in one} <= read
    assert {one.partition(",")[0] for one in named} <= {f"secret {secret.name}" for secret in world.secrets.all()}
    if read:
        assert not re.search(r"(^|\(\d+\) )(SecretId|SecretJsonKey|SecretWrapping|MaterialEncoding):", reason), reason
    return re.sub(r" \(secret [^)]*\):", ":", reason)


@pytest.fixture
def unwanted(world) -> Callable[..., str]:
    """Delivers what CloudFormation does not wait for, and gives the reason, once it is shown that nothing was changed."""

    def unwanted(event: dict[str, Any]) -> str:
        before, changes, started = world.snapshot(), world.changes(), world.clock.now()
        answer = world.invoke(event)
        assert answer["Status"] == "FAILED"
        assert world.changes() == changes
        assert world.snapshot() == before
        assert (world.clock.now() - started).total_seconds() >= BELIEVED_AFTER_SECONDS
        begin = f"CloudFormation does not wait for this {event['RequestType']} request: "
        end = " Nothing was removed." if event["RequestType"] == "Delete" else " Nothing was imported."
        assert answer["Reason"].startswith(begin)
        assert answer["Reason"].endswith(end)
        return str(answer["Reason"].removeprefix(begin).removesuffix(end))

    return unwanted


@pytest.fixture
def timeline():
    with Timeline() as timeline:
        yield timeline


# ------------------------------------------------------------------------------------------ the deployed entry point


@pytest.fixture
def app(world, bucket, monkeypatch, caplog, capfd):
    with deployed(world, bucket, monkeypatch, caplog, capfd) as app:
        yield app
