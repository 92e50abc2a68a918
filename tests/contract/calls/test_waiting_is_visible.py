"""The deployed entry point shows a wait by a log line and metrics; without a wait there are only those of the request."""

import json

import pytest

from lab.keys.random_keys import random_key
from lab.wire.transport import Fault
from lab.world import World
from tests.support.planted import in_pem, wrapped_by_kms

ALWAYS = 10**6


@pytest.fixture(autouse=True)
def environment(app, monkeypatch):
    """As the template sets it, after everything else; with POWERTOOLS_DEV there would be no metrics."""
    del app
    monkeypatch.delenv("POWERTOOLS_DEV")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImportedKeyMaterial")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "imported-key-material")


def metrics_in(out):
    return [json.loads(line) for line in out.splitlines() if line.startswith('{"_aws":')]


def test_a_wait_for_the_quota_is_in_the_log_and_in_the_metrics(world, app):
    event = world.create_request(world.external_key(), SecretId=world.secret(random_key(32)).name)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=3)

    out = app.everything_from(event)

    line, end = metrics_in(out)
    assert end["Requests"] == [1.0]
    assert (line["QuotaTries"], line["QuotaGranted"]) == ([4.0], [1.0])
    assert line["RequestAge"] == line["QuotaWait"]
    (told,) = [line for line in out.splitlines() if "'outcome': 'granted'" in line]  # a record's fields
    assert "'msg': \"KMS's quota\"" in told
    assert "'tries': 4, 'throttled_percent': 75.0" in told


def test_who_did_not_wait_writes_only_the_metrics_of_the_request(world, app):
    event = world.create_request(world.external_key(), SecretId=world.secret(random_key(32)).name)

    out = app.everything_from(event)

    assert "SUCCESS Create" in out
    (line,) = metrics_in(out)
    assert (line["Outcome"], line["Imported"]) == ("SUCCESS", [1.0])
    assert [name for name in line if name.startswith("Quota")] == []


@pytest.mark.parametrize("kind", [wrapped_by_kms, in_pem])
def test_nothing_comes_out_of_what_is_measured_and_handed_over(world, app, kind):
    secret = kind(world)
    event = secret.create(world)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)

    out = app.everything_from(event)

    assert metrics_in(out)[0]["QuotaHandedOver"] == [1.0]
    assert len(world.handed_over) == 1
    assert secret.canaries.found_in(out) == {}


def test_an_event_is_handed_over_by_the_request_that_it_came_with_and_by_no_other(world: World):
    """One environment serves one request after the other."""
    secret = world.secret(random_key(32)).name
    first = world.create_request(world.external_key(), "First", SecretId=secret)
    second = world.create_request(world.external_key(), "Second", SecretId=secret)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)

    for event in (first, {"RequestType": "Create"}, second):
        world.invoke(event)

    assert [handed_over for _, handed_over in world.handed_over] == [first, second]
