"""A wait that outlasts the invocation continues in a fresh one: the same event, the same function, and only one answer.

CloudFormation waits for an hour, and an invocation lives for 15 minutes. The wait for KMS's quota may take longer than that. So
may the wait for a replica's material, without which KMS does not rotate the primary.
"""

import json
from zlib import crc32

import pytest

from imported_key_material.meter import Unmetered
from lab.awslambda.invocation import Context
from lab.keys.random_keys import random_keys
from lab.wire.faults import Moment
from lab.wire.transport import Fault, Refusal
from lab.world import FUNCTION_ARN, LAMBDA_TIMEOUT_SECONDS, SIGNATURE, Crash

KEY, OTHER = random_keys(32, 2)
ALWAYS = 10**6
V1, V2 = (f"{number}1111111-2222-3333-4444-555555555555" for number in (1, 2))
NOT_HANDED_OVER = "It could not be handed over to a new invocation of the function: "

pytestmark = pytest.mark.slow


def creating(world, **properties):
    return world.create_request(world.external_key(), SecretId=world.secret(KEY).name, **properties)


def throttled(world, seconds=None):
    """KMS throttles GetParametersForImport, for so many seconds or without end."""
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)
    if seconds is not None:
        world.clock.after(seconds, world.aws.faults._planned.clear)


def seconds(world, event):
    """Since CloudFormation made the request."""
    return (world.clock.now() - world.stack.resources[event["LogicalResourceId"]].status_since).total_seconds()


# ------------------------------------------------------------------------------------------------------------ what goes on


def test_a_request_that_still_waits_when_its_invocation_ends_gets_through_in_another(world):
    event = creating(world)
    throttled(world, 2000)

    answer = world.invoke_to_the_end(event)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", event["ResourceProperties"]["KeyId"])
    assert 2000 < seconds(world, event) < 2060
    assert len(world.handed_over) == 3
    assert len(world.bodies) == 1


def test_the_event_goes_on_as_cloudformation_made_it_and_to_the_function_itself(world):
    """Also what a user puts into a property, and what CloudFormation may add to a request one day."""
    odd = {"é": ["\ud800", {"": None, "n": 1.50, "big": 10**30}], "Trigger": "ü\u2028\0"}
    event = creating(world, Trigger="again") | {"SomethingNew": odd}
    as_it_came = json.dumps(event)
    throttled(world)

    assert world.invoke(event) is None

    ((function, handed_over),) = world.handed_over
    assert function == FUNCTION_ARN
    assert json.dumps(handed_over) == as_it_came


def test_the_event_is_in_no_log(world):
    event = creating(world, Trigger="in-a-value")
    throttled(world)

    world.invoke_to_the_end(event)

    assert len(world.handed_over) == 5
    for hidden in (SIGNATURE, "in-a-value", "X-Amz-Signature"):
        assert hidden not in world.log.getvalue()


def test_an_invocation_by_an_alias_hands_on_to_the_function_without_it(world):
    """The role may invoke only that ARN."""
    event = creating(world)
    throttled(world)

    world.function(event, Context(world.clock, LAMBDA_TIMEOUT_SECONDS, f"{FUNCTION_ARN}:live"))

    assert [function for function, _ in world.handed_over] == [FUNCTION_ARN]


def test_an_update_is_handed_over_as_a_create_is(world):
    key, secret = world.external_key(), world.secret(KEY)
    world.create(key, SecretId=secret.name)
    event = world.update_request(key, SecretId=secret.name, ValidForDays="30")
    throttled(world, 1000)

    answer = world.invoke_to_the_end(event)

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert len(world.handed_over) == 1


def test_hundreds_that_began_together_do_not_hand_on_together(world):
    throttled(world)
    lived = []
    for number in range(40):
        started = world.clock.now()
        assert world.invoke(world.create_request(world.external_key(), f"M{number}", SecretId="orders/none")) is None
        lived.append((world.clock.now() - started).total_seconds())

    assert min(lived) < 600
    assert max(lived) > 690
    assert len({round(one) for one in lived}) > 20


@pytest.fixture(autouse=True)
def a_secret_for_hundreds(world):
    world.secret(KEY, "orders/none")


# --------------------------------------------------------------------------------------------------------------- rotation


def rotating(world):
    """A primary whose replica does not have the new material yet: KMS does not rotate it."""
    key, away = world.external_key(MultiRegion=True), "eu-west-1"
    world.secret(KEY, version_id=V1)
    world.create(key, SecretId="orders/master-key", SecretVersionId=V1)
    tags = [{"TagKey": "imported-key-material", "TagValue": "orders"}]
    world.call("ReplicateKey", KeyId=key, ReplicaRegion=away, Tags=tags)
    world.clock.advance(60)
    return key, rotation_request(world, key)


def rotation_request(world, key):
    world.secret(OTHER, version_id=V2)
    return world.update_request(key, SecretId="orders/master-key", SecretVersionId=V2, NewMaterial="ROTATE")


def test_a_rotation_that_waits_for_a_replica_is_handed_over_until_cloudformation_waits_no_more(world):
    _, event = rotating(world)

    answer = world.invoke_to_the_end(event)

    assert answer["Reason"] == (
        "NewMaterial: The rotation was not finished in time: every replica must import the material first, in "
        "its own Region (eu-west-1); which of them lacks it can't be seen from here. KMS may hold the material already: a "
        "rollback or the next update handles it."
    )
    assert seconds(world, event) == pytest.approx(3540, abs=30)
    assert [function for function, _ in world.handed_over] == [FUNCTION_ARN] * 5
    assert all(handed_over == event for _, handed_over in world.handed_over)


def test_a_rotation_that_can_not_be_handed_over_fails_at_once(world):
    key, event = rotating(world)
    world.aws.faults.inject("Invoke", Refusal(403, "AccessDeniedException", "User is not authorized"), times=ALWAYS)

    answer = world.invoke_to_the_end(event)

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == key
    assert answer["Reason"].startswith("NewMaterial: The rotation was not finished in time: every replica")
    assert f"can't be seen from here. {NOT_HANDED_OVER}lambda:Invoke was refused" in answer["Reason"]
    assert seconds(world, event) < 720


def test_a_rotation_that_was_asked_for_is_waited_for_a_little_longer_and_not_asked_for_by_another(world):
    """A fresh invocation could not know of it: KMS stops showing an accepted rotation after a few seconds."""
    key = world.external_key()
    world.secret(KEY, version_id=V1)
    world.create(key, SecretId="orders/master-key", SecretVersionId=V1)
    event = rotation_request(world, key)
    waits_seconds = 705 - 120 * crc32(event["RequestId"].encode()) / 2**32
    throttled(world, waits_seconds - 35)  # a rotation takes a minute or more

    answer = world.invoke_to_the_end(event)

    assert answer["Status"] == "SUCCESS"
    assert seconds(world, event) > waits_seconds
    assert world.handed_over == []
    assert world.aws.count("RotateKeyOnDemand") == 1


# ---------------------------------------------------------------------------------------------------- what can't go on


def refusing(code, status=403):
    return Refusal(status, code, "User: arn is not authorized to perform: lambda:InvokeFunction")


REFUSALS = [
    (
        refusing("AccessDeniedException"),
        "lambda:Invoke was refused with AccessDeniedException. The function's role does not allow it to invoke itself. Deploy "
        "the application again; its role is part of it.",
        0,
    ),
    (Fault.THROTTLED, "lambda:Invoke was throttled (TooManyRequestsException) for 30 seconds.", 30),
    (
        Fault.INTERNAL_ERROR,
        "lambda:Invoke was refused with ServiceException. The service had an internal error. This passes by itself. Run the "
        "deployment again.",
        30,
    ),
    (
        Fault.CONNECTION_CLOSED,
        "lambda:Invoke got no answer (ConnectionClosedError). The service could not be reached. If the function runs in a "
        "VPC, it needs a way to KMS, Secrets Manager, CloudFormation, Lambda and CloudFormation's bucket in S3 (endpoints "
        "or NAT).",
        30,
    ),
    (
        Refusal(400, "ExpiredTokenException", "The security token included in the request is expired"),
        "lambda:Invoke was refused with ExpiredTokenException. The function's credentials ran out. This passes by itself. Run "
        "the deployment again.",
        0,
    ),
]


def test_what_lambda_says_of_a_payload_does_not_come_out(world):
    """Lambda may quote what it could not read: the event, with the address of the answer."""
    event = creating(world)
    throttled(world)
    said = f"Could not parse request body into json: {event['ResponseURL']}"
    world.aws.faults.inject("Invoke", Refusal(400, "InvalidRequestContentException", said), times=ALWAYS)

    answer = world.invoke_to_the_end(event)

    assert "lambda:Invoke was refused with InvalidRequestContentException." in answer["Reason"]
    assert SIGNATURE not in answer["Reason"] + world.log.getvalue()


@pytest.mark.parametrize("outcome", ["handed over", "granted"])
def test_metrics_that_cant_be_written_change_nothing(world, outcome):
    event = creating(world)
    throttled(world, 20 if outcome == "granted" else None)

    class Broken(Unmetered):
        def waited(self, _waited):
            raise OSError(event["ResponseURL"])

        ended = waited

    world.measured.further = Broken()

    answer = world.invoke(event)

    assert (answer or {"Status": "none"})["Status"] == {"handed over": "none", "granted": "SUCCESS"}[outcome]
    assert len(world.handed_over) == (outcome == "handed over")
    assert "The metrics could not be written. OSError at " in world.log.getvalue()
    assert SIGNATURE not in world.log.getvalue()


def test_a_request_goes_on_where_asking_whether_it_is_needed_took_the_rest_of_the_time(world):
    """Where hundreds wait, CloudFormation's reads are throttled as well."""
    event = creating(world)
    throttled(world)
    world.clock.after(400, lambda: world.aws.faults.inject("DescribeStacks", Fault.THROTTLED, times=ALWAYS))

    assert world.invoke(event) is None

    assert len(world.handed_over) == 1


@pytest.mark.parametrize(("fault", "problem", "after"), REFUSALS, ids=[one[1].split(".")[0] for one in REFUSALS])
def test_where_lambda_does_not_take_the_event_the_request_fails_at_once_and_says_why(world, fault, problem, after):
    event = creating(world)
    throttled(world)
    world.aws.faults.inject("Invoke", fault, times=ALWAYS)

    answer = world.invoke_to_the_end(event)

    assert answer["PhysicalResourceId"] == f"not-imported:Material:{event['RequestId']}"
    assert "GetParametersForImport request rate" in answer["Reason"]
    assert answer["Reason"].endswith(f"(chain them with DependsOn). {NOT_HANDED_OVER}{problem} Nothing was imported.")
    assert world.measured.waits[-1].outcome == "given up"
    assert after <= seconds(world, event) - world.measured.waits[-1].waited_seconds < after + 10
    assert world.handed_over == []


def test_an_event_that_is_too_large_for_lambda_is_answered(world):
    event = creating(world) | {"SomethingNew": "x" * 1_100_000}
    throttled(world)

    answer = world.invoke_to_the_end(event)

    assert f"{NOT_HANDED_OVER}lambda:Invoke was refused with RequestTooLargeException. " in answer["Reason"]
    assert "Lambda does not take an event of this size." in answer["Reason"]


def test_an_invocation_whose_answer_is_lost_is_made_again_and_answered_once(world):
    """At worst there are two fresh invocations. Both do the same, and CloudFormation takes one answer."""
    event = creating(world)
    throttled(world, 1000)
    world.aws.faults.inject("Invoke", Fault.READ_TIMEOUT, Moment.AFTER)

    assert world.invoke(event) is None
    assert len(world.handed_over) == 2

    answer = world.invoke_to_the_end(world.handed_over[0][1])
    world.settle(event, answer)
    changes = world.changes()
    assert answer["Status"] == "SUCCESS"
    assert world.invoke_to_the_end(world.handed_over[1][1]) is None
    assert world.changes() == changes


# ------------------------------------------------------------------------------------------------ never a loop of them


@pytest.mark.parametrize("lives", [30.0, 300.0, 480.0])
def test_an_invocation_with_little_time_of_its_own_answers_and_hands_nothing_on(world, lives):
    event = creating(world)
    throttled(world)

    answer = world.invoke(event, seconds=lives)

    assert "GetParametersForImport request rate" in answer["Reason"]
    assert world.handed_over == []


def test_however_short_an_invocation_lives_there_are_fewer_than_lambda_takes_for_a_loop(world):
    """Lambda's limit is about sixteen. The shortest invocation that hands over has 300 seconds for itself."""
    throttled(world)
    numbers = []
    for number in range(16):
        event = world.create_request(world.external_key(), f"M{number}", SecretId="orders/none")
        answer, invocations = world.invoke(event, seconds=515), 1
        while answer is None:
            answer, invocations = world.invoke(world.handed_over[-1][1], seconds=515), invocations + 1
        assert answer["Status"] == "FAILED"
        numbers.append(invocations)

    assert min(numbers) == 1
    assert 10 < max(numbers) <= 12


def without_a_date(event):
    url, _, query = event["ResponseURL"].partition("?")
    return event | {"ResponseURL": f"{url}?{'&'.join(one for one in query.split('&') if 'Date' not in one)}"}


def test_a_request_that_does_not_tell_its_time_is_not_handed_over(world):
    """Nobody could know when to stop."""
    event = without_a_date(creating(world))
    throttled(world)

    assert "GetParametersForImport request rate" in world.invoke(event)["Reason"]
    assert world.handed_over == []


def test_a_request_of_the_future_is_not_handed_over(world):
    """Somebody who may invoke the function has made it up: the function would hand it over without end."""
    event = creating(world)
    event["ResponseURL"] = event["ResponseURL"].replace("X-Amz-Date=2026", "X-Amz-Date=2036")
    throttled(world)

    assert "GetParametersForImport request rate" in world.invoke(event)["Reason"]
    assert world.handed_over == []


def test_shortly_before_cloudformation_waits_no_more_nothing_is_handed_over(world):
    event = creating(world)
    world.clock.advance(2850)
    throttled(world)

    answer = world.invoke(event)

    assert "a request that is 3540 seconds old" in answer["Reason"]
    assert world.handed_over == []


def test_a_request_that_nobody_waits_for_any_more_ends_with_the_invocation_it_was_handed_over_to(world):
    event = creating(world)
    throttled(world)
    assert world.invoke(event) is None
    world.stack.status = "ROLLBACK_COMPLETE"
    asked = world.aws.count("GetParametersForImport")

    answer = world.invoke(world.handed_over[-1][1])

    assert answer["Reason"] == (
        "CloudFormation does not wait for this Create request: the stack is ROLLBACK_COMPLETE. Nothing was imported."
    )
    assert len(world.handed_over) == 1
    assert world.aws.count("GetParametersForImport") == asked


# ------------------------------------------------------------------------------------------------- duplicates and crashes


def test_a_crash_right_after_handing_over_begins_one_more_line_and_no_more(world):
    """Lambda sees a failure, and delivers the first event again."""
    event = creating(world)
    throttled(world, 2000)

    def crash(call, moment):
        if (call.operation, moment) == ("Invoke", Moment.AFTER):
            world.aws.hooks.remove(crash)
            raise Crash

    world.aws.hooks.append(crash)
    with pytest.raises(Crash):
        world.invoke(event)
    assert len(world.handed_over) == 1

    world.function = world._function()
    answer = world.invoke_to_the_end(world.handed_over[0][1])
    world.settle(event, answer)
    calls = world.aws.count("GetParametersForImport"), world.changes()

    assert answer["Status"] == "SUCCESS"
    assert world.invoke_to_the_end(event) is None  # Lambda repeats this event
    assert (world.aws.count("GetParametersForImport"), world.changes()) == calls


def test_a_request_that_is_delivered_twice_has_two_lines_of_invocations_and_no_more(timeline):
    key, secret, stack = timeline.external_key(), timeline.secret(KEY), timeline.stack()
    timeline.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)
    timeline.delivers("Create", "Material", 0.1, 30.0)
    timeline.at(0, lambda: stack.create({"Material": timeline.declared(key, secret)}))
    timeline.at(3000, timeline.aws.faults._planned.clear)
    timeline.run()

    invocations = timeline.of("Create")
    assert all(one.event == invocations[0].event for one in invocations)
    assert stack.status == "CREATE_COMPLETE"
    assert [one.answer["Status"] for one in invocations if one.answer] == ["SUCCESS"]
    assert len(invocations) == 10  # two chains of five
    assert timeline.aws.count("ImportKeyMaterial") == 1
