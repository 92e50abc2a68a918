"""What `make chaos` calls wrong, and how it chooses its faults: its rules, without a local AWS."""

from collections import Counter
from types import SimpleNamespace

import pytest

from lab.chaos import verdicts
from lab.chaos.director import Director
from lab.chaos.fates import ENDS, HARMS, End, Fate, Fates, Harm
from lab.chaos.line import Passing
from lab.chaos.material import EMPTY, Symmetric
from lab.chaos.stories import KEY, Step
from lab.keys.random_keys import random_key
from lab.local.runtime import Outcome
from lab.wire.faults import Moment

STACK = "arn:aws:cloudformation:eu-central-1:111122223333:stack/chaos-01/id"
ARN = "arn:aws:kms:eu-central-1:111122223333:key/1"
GIVEN_UP = "Lambda gave this {} request up after 2 tries: the function was killed in the middle of its work."
HELD, GONE = frozenset({"material"}), frozenset({EMPTY})


def came_of(*asked):
    """`asked`: (type, physical id, status of the answer or None, reason), one for each request."""
    requests = [
        {
            "RequestId": str(number),
            "RequestType": kind,
            "LogicalResourceId": "Material",
            "StackId": STACK,
            "PhysicalResourceId": physical_id,
        }
        for number, (kind, physical_id, _, _) in enumerate(asked)
    ]
    answers = [
        {"to": f"{STACK}|Material|{number}", "heard": True, "body": {"Status": status, "Reason": reason}}
        for number, (_, _, status, reason) in enumerate(asked)
        if status is not None
    ]
    return verdicts.heard(requests, answers)


def given_up(kind, physical_id="", more=""):
    return (kind, physical_id, "FAILED", GIVEN_UP.format(kind) + more)


def step(verb, status=None, holds=None):
    return Step(verb, status or f"{verb}_COMPLETE", holds or {KEY: HELD})


@pytest.mark.parametrize(
    ("told", "verb", "allowed"),
    [
        ([("Create", "", "SUCCESS", "")], "CREATE", {"CREATE_COMPLETE"}),
        ([given_up("Create")], "CREATE", {"ROLLBACK_COMPLETE"}),
        ([given_up("Create"), given_up("Delete")], "CREATE", {"ROLLBACK_FAILED"}),
        ([("Update", ARN, "SUCCESS", "")], "UPDATE", {"UPDATE_COMPLETE"}),
        ([given_up("Update")], "UPDATE", {"UPDATE_ROLLBACK_COMPLETE"}),
        (
            [given_up("Update"), given_up("Update", more=" The rollback stops here;")],
            "UPDATE",
            {"UPDATE_ROLLBACK_FAILED"},
        ),
        ([("Delete", ARN, "SUCCESS", "")], "DELETE", {"DELETE_COMPLETE"}),
        ([given_up("Delete")], "DELETE", {"DELETE_FAILED"}),
        ([("Update", ARN, "FAILED", "SecretId: ..."), ("Update", ARN, "SUCCESS", "")], "UPDATE", {"UPDATE_COMPLETE"}),
    ],
)
def test_a_stack_may_end_otherwise_than_its_story_says_only_where_lambda_gave_a_request_up(told, verb, allowed):
    assert verdicts.statuses(step(verb), came_of(*told)) == allowed


def test_what_the_function_itself_refused_is_not_confused_with_what_lambda_gave_up():
    came = came_of(("Update", ARN, "FAILED", "SecretId: 33 bytes."), given_up("Update"))

    assert came.failed == ("SecretId: 33 bytes.",)
    assert came.given_up == ("Update",)


def test_a_request_that_nobody_answered_is_named():
    assert came_of(("Create", "", None, ""), ("Delete", "x", "SUCCESS", "")).unanswered == ("Create of Material",)


@pytest.mark.parametrize(
    ("verb", "status", "told", "before", "may_hold"),
    [
        # Lambda gave nothing up: exactly what the story says
        ("CREATE", "CREATE_COMPLETE", [("Create", "", "SUCCESS", "")], {KEY: GONE}, HELD),
        # a Create that was given up may have imported
        ("CREATE", "ROLLBACK_COMPLETE", [given_up("Create")], {}, HELD | GONE),
        # an Update that was given up takes nothing out of the key
        ("UPDATE", "UPDATE_ROLLBACK_COMPLETE", [given_up("Update")], {KEY: frozenset({"older"})}, HELD | {"older"}),
        # a Delete of the ARN has emptied the key; of any other id it has touched nothing
        ("DELETE", "DELETE_COMPLETE", [("Delete", ARN, "SUCCESS", "")], {KEY: HELD}, GONE),
        ("DELETE", "DELETE_COMPLETE", [("Delete", "not-imported:x", "SUCCESS", "")], {KEY: HELD}, HELD),
        ("DELETE", "DELETE_FAILED", [given_up("Delete", ARN)], {KEY: HELD}, HELD | GONE),
    ],
)
def test_what_a_key_may_hold_follows_from_what_cloudformation_heard(verb, status, told, before, may_hold):
    held = verdicts.holds_after(step(verb), status, before, came_of(*told), {KEY: ARN})

    assert held[KEY] == may_hold


def test_material_in_any_file_or_event_is_found_in_every_form_and_so_is_a_pre_signed_address(tmp_path):
    material = Symmetric("the material", random_key(32))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "function.log").write_text(f"imported {material.secret.hex()}")
    (tmp_path / "journal.jsonl").write_text('{"ResponseURL": "https://bucket/?X-Amz-Signature=0"}')

    found = verdicts.leaks(tmp_path, {"events": "nothing"}, [material])

    assert sorted(found) == ["journal.jsonl has a ResponseURL", "logs/function.log has 0: the material, in hex"]


# ---------------------------------------------------------------------------------------------------------------- fates


def test_a_seed_gives_the_same_fates_again_and_another_seed_other_ones():
    names = [f"chaos-{number:02} request 1 Create try 1" for number in range(50)]

    assert [Fates(7).of(name, "first try") for name in names] == [Fates(7).of(name, "first try") for name in names]
    assert [Fates(7).of(name, "first try") for name in names] != [Fates(8).of(name, "first try") for name in names]


@pytest.mark.parametrize("kind", ENDS)
def test_invocations_end_as_often_as_the_table_says(kind):
    drawn = Counter(Fates(1).of(f"invocation {number}", kind).end for number in range(4000))

    for end, share in ENDS[kind]:
        assert drawn[end] == pytest.approx(4000 * share, rel=0.25)


@pytest.mark.parametrize("service", HARMS)
def test_every_harm_of_the_table_comes(service):
    drawn = {
        (one.harm, one.moment) for number in range(8000) if (one := Fates(1).strike("an invocation", number, service))
    }

    assert drawn == {(harm, moment) for harm, moment, _ in HARMS[service]}


def test_the_last_try_of_the_on_failure_function_always_lives():
    assert {Fates(seed).of("an invocation", "last try").end for seed in range(200)} == {End.LIVES}


# ------------------------------------------------------------------------------------------------------------- answers


def invocation_of(director, request_id="1"):
    environment = SimpleNamespace(given={"AWS_ACCESS_KEY_ID": "key-1"}, pid=0, log_name="a.log")
    event = f'{{"RequestId": "{request_id}", "RequestType": "Create", "StackId": "{STACK}"}}'
    invocation = SimpleNamespace(function="imported-key-material", event=event, environment=environment)
    director.began(invocation)
    return invocation


class Peaceful(Fates):
    def of(self, *_):
        return Fate(End.LIVES)


@pytest.mark.parametrize(
    ("arrivals", "twice"),
    [
        ([(b"one", True)], False),
        ([(b"one", False), (b"one", True)], False),  # the first reply was lost: the PUT must be repeated
        ([(b"one", True), (b"one", True)], True),
        ([(b"one", False), (b"another", True)], True),
    ],
)
def test_an_invocation_that_knows_its_answer_has_arrived_must_not_send_another(arrivals, twice):
    director = Director(Peaceful(1))
    invocation = invocation_of(director)
    for body, confirmed in arrivals:
        director.answered(Passing("answer", "PUT", request_id="1"), body, confirmed=confirmed)
    director.ended(invocation, Outcome("null"))

    assert director.answered_twice() == (["chaos-01 request 1 Create try 1"] if twice else [])


def test_nothing_is_broken_any_more_once_it_is_calm():
    director = Director(Fates(1))
    invocation_of(director)
    director.calm = True

    assert {str(director.strikes(Passing("kms", "DescribeKey", "key-1"))) for _ in range(200)} == {"{}"}


@pytest.mark.parametrize(
    ("fate", "struck"),
    [
        (Fate(End.KILLED_AT_CALL, call=2, moment=Moment.AFTER), [None, Harm.KILL, None]),
        (Fate(End.KILLED_AT_CHANGE, call=1, moment=Moment.AFTER), [None, None, Harm.KILL]),
        (Fate(End.OUT_OF_MEMORY, call=2), [None, Harm.FLOOD, Harm.FLOOD]),
        (Fate(End.LIVES), [None, None, None]),
    ],
)
def test_an_invocation_meets_its_end_at_the_call_that_its_fate_names(fate, struck):
    calls = [("DescribeKey", 0), ("GetParametersForImport", 0), ("ImportKeyMaterial", 1)]

    met = [Fates.deadly(fate, number, change, operation) for number, (operation, change) in enumerate(calls, start=1)]

    assert [strike and strike.harm for strike in met] == struck
