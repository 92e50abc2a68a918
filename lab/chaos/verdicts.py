"""The allowed results of a stack operation, also if Lambda gave requests up; and what is never allowed.

The rule is in docs/internals/design.md, "What Lambda gives up": the on-failure function answers FAILED for a request that
Lambda gave up, and CloudFormation goes on from there. Any other difference from the story is wrong. Pure, except the search
for leaks.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab.chaos.material import EMPTY, Material
from lab.chaos.stories import Step
from lab.keys.canaries import Canaries

GIVEN_UP: Final = re.compile(r"Lambda gave this (Create|Update|Delete) request up")
ROLLBACK_STOPS: Final = "The rollback stops here"
READ_IN: Final = frozenset({".log", ".jsonl", ".json", ""})
CODE: Final = frozenset({"code", "runtime-client", "tmp"})

type Holds = Mapping[str, frozenset[str]]
type Entry = Mapping[str, Any]  # of the journal


@dataclass(frozen=True, slots=True)
class Heard:
    """The answers that CloudFormation got during one operation. `unanswered`: requests that nobody answered."""

    given_up: tuple[str, ...]  # types of the requests
    rollback_stopped: bool
    failed: tuple[str, ...]  # the function's own reasons
    unanswered: tuple[str, ...]
    deleted_ids: tuple[str, ...]  # physical ids of Deletes that succeeded


def heard(requests: Iterable[Entry], answers: Iterable[Entry]) -> Heard:
    bodies = {entry["to"].rpartition("|")[2]: entry["body"] for entry in answers if entry["heard"]}
    asked = {entry["RequestId"]: entry for entry in requests}
    reasons = {
        request_id: str(body.get("Reason", ""))
        for request_id, body in bodies.items()
        if request_id in asked and body["Status"] == "FAILED"
    }
    given_up = {request_id: found for request_id, text in reasons.items() if (found := GIVEN_UP.match(text))}
    return Heard(
        given_up=tuple(found[1] for found in given_up.values()),
        rollback_stopped=any(ROLLBACK_STOPS in reasons[request_id] for request_id in given_up),
        failed=tuple(text for request_id, text in reasons.items() if request_id not in given_up),
        unanswered=tuple(
            f"{entry['RequestType']} of {entry['LogicalResourceId']}"
            for request_id, entry in asked.items()
            if request_id not in bodies
        ),
        deleted_ids=tuple(
            entry["PhysicalResourceId"]
            for request_id, entry in asked.items()
            if entry["RequestType"] == "Delete" and bodies.get(request_id, {}).get("Status") == "SUCCESS"
        ),
    )


def statuses(step: Step, heard: Heard) -> frozenset[str]:
    """The final statuses that the operation may come to."""
    forward, deletes = bool({"Create", "Update"} & set(heard.given_up)), "Delete" in heard.given_up
    rows = _WHERE_GIVEN_UP.get(step.verb, ())
    found = next((allowed for given, allowed in rows if given == (forward, deletes)), {step.status})
    return frozenset({"UPDATE_ROLLBACK_FAILED"} if heard.rollback_stopped else found)


_WHERE_GIVEN_UP: Final[Mapping[str, tuple[tuple[tuple[bool, bool], set[str]], ...]]] = {
    # whether a Create or an Update was given up, and whether a Delete was
    "CREATE": (
        ((True, False), {"ROLLBACK_COMPLETE"}),
        ((True, True), {"ROLLBACK_FAILED"}),
        ((False, True), {"ROLLBACK_FAILED"}),
    ),
    "UPDATE": (
        ((True, False), {"UPDATE_ROLLBACK_COMPLETE"}),
        ((True, True), {"UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"}),
    ),
    "DELETE": (((False, True), {"DELETE_FAILED"}),),
}


def holds_after(step: Step, status: str, before: Holds, heard: Heard, keys: Mapping[str, str]) -> Holds:
    """What each key may hold after the step. `keys`: their ARNs, by name."""
    if not heard.given_up and status == step.status and step.verb != "DELETE":
        return {**before, **step.holds}
    if step.verb == "DELETE":
        return {name: _after_delete(name, held, status, heard, keys) for name, held in {**step.holds, **before}.items()}
    return {
        name: _may_hold(before.get(name, frozenset({EMPTY})), step.holds.get(name, frozenset()), status, step, heard)
        for name in {**before, **step.holds}
    }


def _after_delete(
    name: str, held: frozenset[str], status: str, heard: Heard, keys: Mapping[str, str]
) -> frozenset[str]:
    """Rule 2: a Delete with the ARN has emptied the key; a Delete with any other id has touched nothing."""
    if keys[name] in heard.deleted_ids:
        return frozenset({EMPTY})
    return held | {EMPTY} if status == "DELETE_FAILED" else held


def _may_hold(
    before: frozenset[str], declared: frozenset[str], status: str, step: Step, heard: Heard
) -> frozenset[str]:
    """After a Create or an Update that Lambda gave up: its effect is unknown. Material that the key held before stays."""
    if status == step.status and "Delete" in heard.given_up:  # the clean-up was given up
        return declared | before
    if EMPTY in before:
        return before | declared
    return before | (declared - {EMPTY})


def leaks(folder: Path, texts_by_name: Mapping[str, str], materials: Iterable[Material]) -> list[str]:
    """Finds material or a pre-signed address, in any file of the local AWS, and in `texts_by_name`."""
    canaries = Canaries(**{f"{number}: {one.name}": one.secret for number, one in enumerate(materials)})
    texts: dict[str, str | bytes] = dict(texts_by_name)
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in READ_IN and not CODE & set(path.relative_to(folder).parts):
            texts[str(path.relative_to(folder))] = path.read_bytes()
    seen = []
    for name, text in texts.items():
        seen += [f"{name} has {what}, {form}" for what, form in canaries.found_in(text).items()]
        if "X-Amz-Signature" in (text if isinstance(text, str) else text.decode("latin-1")):
            seen.append(f"{name} has a ResponseURL")
    return seen
