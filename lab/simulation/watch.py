"""Sees every call of every invocation with its answer, and every answer to CloudFormation, and has each judged at once.

`notes.py` keeps what the function was shown, `truth.py` what is true. `calls.py` judges calls, `answers.py` answers, and
`ends.py` stacks at rest and the end.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lab.cloudformation import stack_reads
from lab.simulation.engine import Stack
from lab.simulation.functions import Functions, Invocation
from lab.simulation.notes import Notes, StackSeen, uuid_of
from lab.simulation.requests import Sent
from lab.simulation.scheduler import Scheduler
from lab.simulation.truth import PERSON, Change, Truth
from lab.wire.transport import AwsError

TAG = "imported-key-material"
LAG_SECONDS = 4.0  # how old a lagging read of KMS may be


class Violation(Exception):
    """An invariant is broken."""

    def __init__(self, rule: int, what: str) -> None:
        self.rule = rule
        self.what = what
        super().__init__(f"rule {rule} broken: {what}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What properties ask for. `material`: the bytes, or None if the checks refuse the secret."""

    arn: str
    material: bytes | None
    earlier: tuple[bytes | None, ...]


class Watch:
    """`asked(region, properties, version_id)`: their meaning. `version_id`: the version that was read."""

    def __init__(
        self,
        scheduler: Scheduler,
        truth: Truth,
        functions: Mapping[str, Functions],
        asked: Callable[[str, Mapping[str, Any], str], Asked],
        name_of: Callable[[str], str],
    ) -> None:
        self.scheduler = scheduler
        self.truth = truth
        self.asked = asked
        self.name_of = name_of  # a key's name in a story
        self.stacks: list[Stack] = []
        self.before_call: Callable[[Invocation, str, Mapping[str, Any]], None] = lambda *_: None
        self.after_call: Callable[[Invocation, str, Mapping[str, Any]], None] = lambda *_: None
        self.lag = timedelta(0)  # the lag of KMS's reads
        self._functions = functions

    def broken(self, rule: int, what: str) -> Violation:
        """Ends the history, even if the judged code would catch the exception."""
        violation = Violation(rule, what)
        self.scheduler.broken = self.scheduler.broken or violation
        return violation

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Surrounds the judging code: its own defects end the history, too, even if something catches the exception."""
        try:
            yield
        except (Violation, AwsError):
            raise
        except Exception as defect:
            self.scheduler.broken = self.scheduler.broken or defect
            raise

    def fault(self, rule: int, invocation: Invocation, what: str, arn: str = "") -> Violation:
        """A violation by an invocation. `{key}` in `what` becomes the key's name."""
        return self.broken(rule, f"{invocation} {what.replace('{key}', self.name_of(arn)) if arn else what}")

    def invocation(self) -> Invocation | None:
        for functions in self._functions.values():
            found = functions.current()
            if found is not None:
                return found
        return None

    def invocations(self) -> Iterator[Invocation]:
        for functions in self._functions.values():
            yield from functions.invocations

    def invocations_of(self, request_id: str) -> list[Invocation]:
        return [one for one in self.invocations() if one.request_id == request_id]

    @staticmethod
    def notes(invocation: Invocation) -> Notes:
        if invocation.notes is None:
            invocation.notes = Notes()
        notes: Notes = invocation.notes
        return notes

    def stack_of(self, invocation: Invocation) -> Stack:
        return next(stack for stack in self.stacks if stack.id == invocation.stack_id)

    def sent(self, invocation: Invocation) -> Sent | None:
        return self.stack_of(invocation).requests.sent.get(invocation.request_id)

    def is_of_rollback(self, invocation: Invocation) -> bool:
        sent = self.sent(invocation)
        return sent is not None and sent.rollback

    def arn(self, invocation: Invocation, params: Mapping[str, Any]) -> str:
        account = invocation.stack_id.split(":")[4]
        return f"arn:aws:kms:{invocation.region}:{account}:key/{uuid_of(str(params['KeyId']))}"

    # --------------------------------------------------------------------------------------------------------- seeing

    def before_kms(self, operation: str, params: Mapping[str, Any]) -> None:
        invocation = self.invocation()
        if invocation is None or operation not in _CHANGES:
            return
        notes, arn = self.notes(invocation), self.arn(invocation, params)
        family = self.truth.family(arn)
        self.truth.note_expiry(arn)
        notes.held_before = self.truth.held_everywhere(arn)
        notes.rotation_before = family is not None and family.rotation is not None
        self.before_call(invocation, operation, params)

    def struck(self, operation: str) -> None:
        """A call, or its answer, met a fault."""
        invocation = self.invocation()
        if invocation is not None:
            self.notes(invocation).unanswered.add(operation)

    def refused_by_kms(self, operation: str) -> None:
        self.struck(operation)
        invocation = self.invocation()
        if invocation is not None and operation in _CHANGES:
            self.notes(invocation).changed_at = self.scheduler.now()

    def after_kms(self, operation: str, params: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        invocation = self.invocation()
        if invocation is None:
            return
        notes = self.notes(invocation)
        notes.unanswered.discard(operation)
        if operation == "DescribeKey":
            notes.describe(answer["KeyMetadata"], self.scheduler.now())
        elif operation == "ListResourceTags":
            notes.list_tags(params["KeyId"], answer["Tags"])
        elif operation == "ListKeyRotations":
            notes.list_materials(params["KeyId"], answer["Rotations"])
        elif operation == "GetKeyRotationStatus":
            notes.rotation_shown[uuid_of(params["KeyId"])] = "OnDemandRotationStartDate" in answer
        elif operation in _CHANGES:
            notes.changed_at = self.scheduler.now()
            self._record(invocation, operation, self.arn(invocation, params), answer)
            self.after_call(invocation, operation, params)

    def _record(self, invocation: Invocation, operation: str, arn: str, answer: Mapping[str, Any]) -> None:
        """Records who imported and who removed what."""
        notes, ledger, now = self.notes(invocation), self.truth.ledger(arn), self.scheduler.now()
        self._enter(arn, notes.held_before, invocation.stack_id, Change(now, invocation.number))
        if operation == "ImportKeyMaterial":
            notes.imported.add(answer.get("KeyMaterialId") or self.truth.current_id(arn))  # only symmetric keys show it
            # Two stacks that the tag names may race for an empty key. An invocation can't distinguish later material from its
            # own, since the answer to its own earlier try may be lost.
            empty_at = notes.empty_at.get(uuid_of(arn))
            seen = self.horizon(invocation, arn) if empty_at is None else empty_at - self.lag
            ledger.since.setdefault(invocation.stack_id, seen or now)
        elif operation == "DeleteImportedKeyMaterial":
            notes.removed = notes.removed or invocation.request_type == "Delete"
        else:
            family = self.truth.family(arn)
            notes.rotated_to = family.pending.id if family is not None and family.pending is not None else "nothing"

    def after_secrets(self, operation: str, answer: Mapping[str, Any]) -> None:
        invocation = self.invocation()
        if invocation is None:
            return
        notes = self.notes(invocation)
        if operation == "DescribeSecret":
            notes.secret_tags = {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}
        elif not notes.version_id:  # later reads are of PreviousSecretVersionIds
            notes.version_id = answer["VersionId"]

    def after_cloudformation(self, action: str, shown: stack_reads.Stack, logical_id: str) -> None:
        """Notes what an invocation was shown of its stack."""
        invocation = self.invocation()
        if invocation is None:
            return
        notes, now = self.notes(invocation), self.scheduler.now()
        if action == "DescribeStacks":
            times = (shown.created_at, shown.updated_at, shown.deleted_at)
            notes.stack = StackSeen(shown.status, max(at for at in times if at is not None), now)
        elif action == "DescribeStackResource":
            resource = shown.resources.get(logical_id)
            notes.resource = (
                StackSeen("not in the stack", now, now)
                if resource is None
                else StackSeen(resource.status, resource.status_since, now, resource.physical_id or "")
            )
        elif action == "DescribeStackEvents":
            notes.event = self._newest(invocation, shown)
        elif invocation.request_type == "Delete":
            notes.holders = self.others_hold(invocation, str(invocation.event["PhysicalResourceId"]))

    def _newest(self, invocation: Invocation, shown: stack_reads.Stack) -> StackSeen | None:
        own = invocation.event["LogicalResourceId"], invocation.event.get("PhysicalResourceId")
        events = (one for one in reversed(shown.events) if (one.logical_id, one.physical_id) == own)
        seen = (StackSeen(one.status, one.at, self.scheduler.now(), str(one.physical_id)) for one in events)
        return next(seen, None)

    def others_hold(self, invocation: Invocation, arn: str) -> bool:
        """Whether another resource of the stack really holds the key, or this resource under its present id."""
        stack, gone = self.stack_of(invocation), ("DELETE_IN_PROGRESS", "DELETE_COMPLETE")
        return any(
            resource.physical_id in (arn, uuid_of(arn)) and resource.status not in gone
            for resource in (*stack.resources.values(), *stack.skipped.values())
        )

    # -------------------------------------------------------------------------------------------------------- people

    def person(self, arn: str, act: Callable[[], object]) -> None:
        """A person does something to a key."""
        self.truth.note_expiry(arn)
        before = self.truth.held_everywhere(arn)
        act()
        self._enter(arn, before, PERSON, Change(self.scheduler.now(), 0))

    def _enter(self, arn: str, before: Mapping[str, frozenset[str]], who: str, change: Change) -> None:
        """Records in the ledgers of a key and its replicas what was imported and what is gone."""
        for one, held in self.truth.held_everywhere(arn).items():
            ledger, held_before = self.truth.ledger(one), before.get(one, frozenset())
            for id_ in held - held_before:
                ledger.brought_by[id_] = (who, change.at)
                ledger.removed_by.pop(id_, None)
            for id_ in held_before - held:
                ledger.removed_by[id_] = who
            if one == arn or held != held_before:
                ledger.changes.append(change)

    def horizon(self, invocation: Invocation, arn: str) -> datetime | None:
        """The invocation could see everything up to this moment when it last looked at the key. None: it never looked."""
        looked_at = self.notes(invocation).looked_at(arn)
        return None if looked_at is None else looked_at - self.lag


_CHANGES = frozenset({"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand"})
