"""While CloudFormation takes an answer over, the resource is in progress once more, under the answered id.

Recorded in 2020 and 2025: it lasts for 0.15 to 0.7 s, before CREATE_COMPLETE and before CREATE_FAILED; so does an Update that
answers another id. A second delivery may come in the middle of it, seconds or most of an hour after the request was made.
"""

import pytest

from lab.keys.random_keys import random_key
from lab.kms.materials import states
from lab.simulation.resources import TAKEN_OVER_SECONDS
from lab.wire.transport import Fault
from tests.support.timeline import DELIVERY_SECONDS, Timeline

KEY = random_key(32)
BEGIN = 10.0
ALWAYS = 10**6


def events(timeline):
    """The stack's events of its only custom resource, with their times."""
    (shown,) = timeline.cloudformation._stacks
    return [event for event in shown.events if event.logical_id == "Material"]


def created(timeline, *, wait_seconds=0.0, **properties):
    """Creates a stack whose request waits for KMS's quota. Returns its key."""
    key, stack = timeline.external_key(), timeline.stack()
    if wait_seconds:
        timeline.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)
        timeline.at(BEGIN + wait_seconds, timeline.aws.faults._planned.clear)
    declared = timeline.declared(key, timeline.secret(KEY), **properties)
    timeline.at(BEGIN, lambda: stack.create({"Material": declared}))
    timeline.run()
    return key


@pytest.mark.parametrize(("properties", "ends"), [({}, "CREATE_COMPLETE"), ({"Misspelt": "yes"}, "CREATE_FAILED")])
def test_a_create_is_told_under_its_answered_id_before_it_is_told_to_be_over(timeline, properties, ends):
    created(timeline, **properties)

    answered_id = timeline.of("Create")[0].answer["PhysicalResourceId"]
    first, second, third = events(timeline)[:3]
    assert [(one.status, one.physical_id) for one in (first, second, third)] == [
        ("CREATE_IN_PROGRESS", None),
        ("CREATE_IN_PROGRESS", answered_id),
        (ends, answered_id),
    ]
    shortest, longest = TAKEN_OVER_SECONDS
    assert shortest <= (third.at - second.at).total_seconds() <= longest


def test_a_replacement_is_reported_under_its_old_id_and_then_under_the_new_one(timeline):
    key, other = timeline.external_key(), timeline.external_key()
    secret, stack = timeline.secret(KEY), timeline.stack()
    timeline.at(BEGIN, lambda: stack.create({"Material": timeline.declared(key, secret)}))
    timeline.at(100, lambda: stack.update({"Material": timeline.declared(other, secret)}))
    timeline.run()

    assert [(one.status, one.physical_id) for one in events(timeline) if one.status.startswith("UPDATE")] == [
        ("UPDATE_IN_PROGRESS", key),
        ("UPDATE_IN_PROGRESS", other),
        ("UPDATE_COMPLETE", other),
    ]


def middle_of_it(**how):
    """The seconds from the request until CloudFormation has half taken over the answer, in a history without a duplicate."""
    with Timeline() as timeline:
        created(timeline, **how)
        _, second, third = events(timeline)[:3]
        sent = timeline.seconds(timeline.of("Create")[0].started_at) - DELIVERY_SECONDS
        return (timeline.seconds(second.at) + timeline.seconds(third.at)) / 2 - sent


@pytest.mark.parametrize("wait_seconds", [0.0, 40.0, 600.0])
def test_a_duplicate_in_the_middle_of_it_changes_nothing(timeline, wait_seconds):
    """In its first ten seconds the function believes that the status is its own request's; the import's guard sees the end."""
    late = middle_of_it(wait_seconds=wait_seconds)
    timeline.delivers("Create", "Material", DELIVERY_SECONDS, late)

    key = created(timeline, wait_seconds=wait_seconds)

    first, second = timeline.of("Create")
    assert first.answer["Status"] == "SUCCESS"
    assert [one.status for one in events(timeline)] == ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert states(timeline, key) == [("CURRENT", "IMPORTED")]
    assert second.answer is None
    assert "ImportKeyMaterial" not in second.operations
