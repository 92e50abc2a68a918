"""What CloudFormation makes of answers: a second one, a long one, one to a request that it has cancelled (the probe)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from imported_key_material.cloudformation.answer import BODY_MAX_BYTES
from lab.live.act import Act
from lab.live.acts.cloudformation.played import Played, request
from lab.live.probe import DidNotCome, Received
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged

FAILS_AFTER_SECONDS: Final = 8
SLOW_SECONDS: Final = 45
TOO_LONG: Final = "Response object is too long."


def answers(stage: Stage) -> Iterator[Finding]:
    twice, longest, longer = (Played(stage, suffix) for suffix in ("twice", "longest", "longer"))
    twice.create({"Probe": stage.probe.resource(Answer="TWICE")})
    longest.create({"Probe": stage.probe.resource(Bytes=BODY_MAX_BYTES)})
    longer.create({"Probe": stage.probe.resource(Bytes=BODY_MAX_BYTES + 1)})
    yield first_counts(_result(twice.end().events))
    yield longest_answer(_result(longest.end().events), _result(longer.end().events))


def cancelled(stage: Stage) -> Iterator[Finding]:
    played = Played(stage, "cancelled")
    played.create(
        {
            "Fails": stage.probe.resource(Answer="FAILED", After=FAILS_AFTER_SECONDS),
            "Slow": stage.probe.resource(After=SLOW_SECONDS),
        }
    )
    ended = played.end()
    received = played.received()
    create = request(received, "Create", "Slow")
    yield told_as_cancelled(ended.events, create)
    yield deleted_while_under_way(request(received, "Delete", "Slow"), create)


def _result(events: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """How the creation of the stack's only resource ended: its status, and the reason."""
    for event in events:
        if event["LogicalResourceId"] == "Probe" and event["ResourceStatus"] in ("CREATE_COMPLETE", "CREATE_FAILED"):
            return event["ResourceStatus"], event.get("ResourceStatusReason", "")
    raise DidNotCome("an end of the resource's creation")


# ----------------------------------------------------------------------------------------------------------- judgements


def first_counts(result: tuple[str, str]) -> Finding:
    """`result`: after FAILED and then SUCCESS were answered."""
    return judged(
        "first-answer-counts",
        "after FAILED and then SUCCESS the resource is CREATE_FAILED",
        f"it is {result[0]}",
        holds=result[0] == "CREATE_FAILED",
        status=result[0],
    )


def longest_answer(longest: tuple[str, str], longer: tuple[str, str]) -> Finding:
    """`longest`: of an answer with as many bytes as ours have at most; `longer`: with one more."""
    return judged(
        "longest-answer",
        f"{BODY_MAX_BYTES:,} bytes are taken, and one more is refused: {TOO_LONG}",
        f"{BODY_MAX_BYTES:,} bytes: {longest[0]}; one more: {longer[0]} {longer[1]}",
        holds=longest[0] == "CREATE_COMPLETE" and longer[0] == "CREATE_FAILED" and TOO_LONG in longer[1],
        longest=longest[0],
        longer=list(longer),
    )


def told_as_cancelled(events: Sequence[Mapping[str, Any]], create: Received) -> Finding:
    """`create`: the request that was under way when another resource failed."""
    failed = next(
        (
            one
            for one in events
            if one["LogicalResourceId"] == create.logical_id and one["ResourceStatus"] == "CREATE_FAILED"
        ),
        None,
    )
    expected = (
        "a Create that is under way when another resource fails is CREATE_FAILED at once: Resource creation cancelled"
    )
    if failed is None:
        return judged("create-cancelled", expected, "it does not fail", holds=False)
    after = round((failed["Timestamp"] - create.made_at) / timedelta(seconds=1), 1)
    reason = str(failed.get("ResourceStatusReason", ""))
    return judged(
        "create-cancelled",
        expected,
        f"it is CREATE_FAILED {after} s after it was sent, and would have answered after {SLOW_SECONDS} s: {reason}",
        holds=after < SLOW_SECONDS and "cancelled" in reason,
        failed_after_seconds=after,
        reason=reason,
    )


def deleted_while_under_way(delete: Received, create: Received) -> Finding:
    after = round((delete.made_at - create.made_at) / timedelta(seconds=1), 1)
    under_way = after < SLOW_SECONDS
    answered = delete.physical_id == f"probe-{create.event['RequestId']}"
    name = str(create.event["StackId"]).split("/")[1]
    made_up = delete.physical_id.startswith(name) and create.logical_id in delete.physical_id
    kind = "the answered id" if answered else "a made-up id" if made_up else "another id"
    return judged(
        "cancelled-delete",
        "its Delete comes while the Create is still under way, with an id that CloudFormation has made up",
        f"it comes {after} s after the Create, with {kind}",
        holds=under_way and made_up and not answered,
        after_seconds=after,
        id=kind,
    )


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "answers",
        "A second answer, and a long one",
        ("first-answer-counts", "longest-answer"),
        makes="3 stacks",
        deadline_seconds=75,
        play=answers,
    ),
    Act(
        "cancelled",
        "A Create that is under way when another resource fails",
        ("create-cancelled", "cancelled-delete"),
        makes="1 stack",
        deadline_seconds=105,
        play=cancelled,
        not_local="it makes the resources of a stack one after another.",
    ),
)
