"""An application with AlarmTopicArn: real requests, and what its functions log, raise its alarms; their messages arrive.

No test puts a datum: the metrics are those of the functions' own log lines and invocations.
"""

import time
from datetime import UTC, datetime, timedelta

import pytest

from lab.keys.by_hand import import_material
from lab.keys.random_keys import random_key
from tests.support.on_call import WATCHED, until

pytestmark = pytest.mark.xdist_group("alarms")

HANDLER = "imported_key_material.app.handler"
REST_SECONDS = 2.5  # longer than any wait before a second try


@pytest.fixture
def scene(watched_scene):
    return watched_scene


def runs_at_rest(on_call):
    """How often the watch has run, when no event and no second try of one is on its way any more."""
    seen = -1
    while seen != (seen := on_call.runs_of_the_watch()):
        time.sleep(REST_SECONDS)
    return seen


def test_a_request_that_failed_is_told(scene, on_call):
    assert on_call.state(f"{WATCHED}-requests-failed") == "OK"
    stack = scene.create({"Material": scene.material(scene.empty_key(), scene.name, NoSuchProperty="x")})
    assert stack.status == "ROLLBACK_COMPLETE"

    told = on_call.hears_of(f"{WATCHED}-requests-failed")

    assert told["NewStateValue"] == "ALARM"
    assert told["AlarmDescription"] == "A request FAILED: docs/operations.md#a-request-failed"


def test_a_request_that_the_function_could_not_end_is_told(watched, scene, on_call):
    lambda_ = watched.client("lambda")
    lambda_.update_function_configuration(FunctionName=WATCHED, Handler="imported_key_material.gone.handler")
    try:
        secret = scene.secret(random_key(32))
        stack = scene.create({"Material": scene.material(scene.empty_key(), secret)})
    finally:
        lambda_.update_function_configuration(FunctionName=WATCHED, Handler=HANDLER)
    assert stack.status.startswith("ROLLBACK_")

    on_call.hears_of(f"{WATCHED}-requests-not-ended")
    on_call.hears_of(f"{WATCHED}-errors")
    assert on_call.state(f"{WATCHED}-on-failure-errors") == "OK"


def test_a_watch_that_does_not_run_is_told_until_its_schedule_runs_it(on_call):
    alarm = f"{WATCHED}-watch-silent"
    if not on_call.runs_of_the_watch():
        on_call.becomes(alarm, "ALARM")

    on_call.lets_the_watch_run()

    until(on_call.runs_of_the_watch, "a run of the watch")
    on_call.becomes(alarm, "OK")


def test_an_expiry_and_a_disabled_key_run_the_watch_and_what_the_function_itself_removes_does_not(scene, on_call):
    kms = scene.kms

    def runs_after(change):
        before = on_call.runs_of_the_watch()
        change()
        until(lambda: on_call.runs_of_the_watch() > before, "a run of the watch")

    key = scene.empty_key()
    valid_to = datetime.now(UTC) + timedelta(seconds=2)
    runs_after(lambda: import_material(kms, key, random_key(32), ValidTo=valid_to))
    other = scene.key()
    runs_after(lambda: kms.disable_key(KeyId=other))

    secret = scene.secret(random_key(32))
    scene.create({"Material": scene.material(scene.empty_key(), secret)})
    before = runs_at_rest(on_call)
    scene.delete()
    assert runs_at_rest(on_call) == before
