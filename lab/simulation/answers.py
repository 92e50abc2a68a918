"""Judges answers when their PUT arrives and is taken: rules 3, 5, 6 and 7 of docs/internals/simulation.md."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from imported_key_material import consent
from imported_key_material.errors import Leave
from lab.kms.keys import Material, MaterialState
from lab.simulation.attributes import READS, Evidence, untrue
from lab.simulation.engine import Stack
from lab.simulation.functions import Invocation, OutOfTime
from lab.simulation.notes import uuid_of
from lab.simulation.requests import BODY_MAX_BYTES, NO_ANSWER, Answer, Sent
from lab.simulation.watch import Asked, Watch

ID_MAX_BYTES = 1024
LEFT = "rolled back, but not everything is as before"  # in a rollback's log, if not everything was restored
# In a rollback's log, if an import came before the function saw the rollback.
WENT_FORWARD = "went forward, then saw the stack roll back"
# In an answer, after a lost answer to an import of pending material that somebody removed.
FORGOTTEN = "If KMS imported it in a call whose answer was lost, it was removed since."
# The answers for exceptions that nobody foresaw.
DEFECTS = ("The function met an error of its own", "an error in its protocol code")
# These properties locate the material. If they are unchanged, superseded bytes are no error (design, rule 5).
_LOCATES = (
    "SecretId", "SecretVersionId", "SecretVersionStage", "SecretJsonKey", "MaterialEncoding", "SecretWrapping",
)  # fmt: skip


class Answers:
    def __init__(self, watch: Watch) -> None:
        self.texts: list[str] = []  # all answers, as texts
        self._undone: set[tuple[str, str, str]] = set()  # Deletes that failed or got no answer: they may be tried again
        self.slow = False  # calls take seconds: then nothing is promised about the time of an answer
        self._watch = watch
        self._truth = watch.truth

    # ------------------------------------------------------------------------------------------------------ as it comes

    def put(self, invocation: Invocation, body: bytes) -> None:
        """An invocation's PUT takes effect."""
        invocation.answers += 1
        if invocation.answers > 1:
            raise self._watch.fault(6, invocation, "answers twice")
        self.texts.append(body.decode())
        answer: Mapping[str, Any] = json.loads(body)
        self._well_formed(invocation, answer, body)
        self._true(invocation, answer)
        sent = self._watch.sent(invocation)
        if sent is None or not sent.awaited or sent.answered.is_set or answer["Status"] != "SUCCESS":
            return  # nobody waits for it, or it promises nothing
        if invocation.request_type == "Delete":
            self._left_nothing(invocation, answer["PhysicalResourceId"])
        elif sent.rollback:
            self._reports_what_is_lost(invocation, answer)
        else:
            self._holds_what_is_asked(invocation, answer)

    def _well_formed(self, invocation: Invocation, answer: Mapping[str, Any], body: bytes) -> None:
        if any(answer.get(name) != invocation.event[name] for name in ("StackId", "RequestId", "LogicalResourceId")):
            raise self._watch.fault(6, invocation, "answers another request")
        id_ = answer.get("PhysicalResourceId")
        if len(body) > BODY_MAX_BYTES or not isinstance(id_, str) or not 1 <= len(id_.encode()) <= ID_MAX_BYTES:
            raise self._watch.fault(6, invocation, "gives an answer that CloudFormation does not take")
        if answer.get("Status") not in ("SUCCESS", "FAILED") or (answer["Status"] == "FAILED") == (
            "Reason" not in answer
        ):
            raise self._watch.fault(6, invocation, "fails without a reason, or succeeds with one")

    def _true(self, invocation: Invocation, answer: Mapping[str, Any]) -> None:
        """An answer's claims must be true: that nothing was done, and the id under which a Delete can undo the import."""
        notes, id_, reason = self._watch.notes(invocation), answer["PhysicalResourceId"], answer.get("Reason", "")
        if any(words in reason for words in DEFECTS):
            raise self._watch.fault(6, invocation, f"fails of a defect: {reason}")
        kept = any(self._truth.knows(self._asked(invocation).arn, one) for one in notes.imported)
        untrue_of = {"Nothing was imported.": notes.imported, "Nothing was removed.": notes.removed, FORGOTTEN: kept}
        if any(is_untrue and words in reason for words, is_untrue in untrue_of.items()):
            raise self._watch.fault(6, invocation, f"says something untrue: {reason}")
        if invocation.request_type == "Delete" and id_ != invocation.event["PhysicalResourceId"]:
            raise self._watch.fault(6, invocation, "deletes one id, and answers another")
        if kept and id_.startswith("not-imported:"):
            raise self._watch.fault(6, invocation, "has imported, and says not-imported")

    # ---------------------------------------------------------------------------------------------------- what is asked

    def _asked(self, invocation: Invocation) -> Asked:
        return self._watch.asked(invocation.region, invocation.properties, self._watch.notes(invocation).version_id)

    def _undisturbed(self, invocation: Invocation, arn: str) -> bool:
        """Whether the key is as it was at the invocation's last look. The invocation could not see later changes."""
        since = self._watch.horizon(invocation, arn)
        if since is None:
            raise self._watch.fault(3, invocation, "answers for {key}, and never looked at it", arn)
        ledger = self._truth.ledger(arn)
        return not ledger.changed_by_others(invocation.number, since) and not self._truth.time_changed_it(arn, since)

    def _holds_what_is_asked(self, invocation: Invocation, answer: Mapping[str, Any]) -> None:
        """Rule 3: bytes, their place, expiry, state, and what Fn::GetAtt gives."""
        asked = self._asked(invocation)
        arn, data, notes = asked.arn, answer["Data"], self._watch.notes(invocation)
        if data["KeyArn"] != arn or answer["PhysicalResourceId"] not in (arn, uuid_of(arn)):
            raise self._watch.fault(3, invocation, "answers SUCCESS for another key than {key}", arn)
        if not self._undisturbed(invocation, arn):
            return
        self._gives_what_is_so(invocation, arn, answer)
        state = self._truth.state(arn)
        # No property enables a key: without an import a Disabled key is a success, and somebody may disable it at any time.
        may_be_disabled = not notes.imported or self._truth.ledger(arn).changed_by_a_person(invocation.started_at)
        if state not in ("Enabled", "Updating") and not (state == "Disabled" and may_be_disabled):
            raise self._watch.fault(3, invocation, f"answers SUCCESS, and {{key}} is {state}", arn)
        if asked.material is None:
            raise self._watch.fault(3, invocation, "answers SUCCESS for {key} with material that a check refuses", arn)
        family, material = self._truth.family(arn), self._truth.material_of(arn, asked.material)
        if family is None or material is None or material.id not in self._truth.holdings(arn):
            raise self._watch.fault(3, invocation, "answers SUCCESS, and {key} does not hold the bytes", arn)
        if material.state.value not in self._places(invocation, arn):
            raise self._watch.fault(
                3, invocation, f"answers SUCCESS, and in {{key}} the material is {material.state}", arn
            )
        self._expires_as_asked(invocation, arn, material.id)
        if notes.imported:  # an update that imports nothing does not change the earlier materials
            for one in self._earlier(invocation, arn, asked.earlier):
                self._expires_as_asked(invocation, arn, one.id)

    def _earlier(self, invocation: Invocation, arn: str, named: Iterable[bytes | None]) -> Iterator[Material]:
        """The earlier materials that the properties name, except those that the invocation found pending.

        A rotation that was under way made those current, and then superseded; rule 5 does not judge them.
        """
        started_at = invocation.started_at
        if self._truth.ledger(arn).changed_by_others(invocation.number, started_at):
            return
        for material in (self._truth.material_of(arn, encoded) for encoded in named if encoded is not None):
            if material is None or material.state is not MaterialState.NON_CURRENT:
                continue
            if material.rotation_date is None or material.rotation_date < started_at:
                yield material

    def _gives_what_is_so(self, invocation: Invocation, arn: str, answer: Mapping[str, Any]) -> None:
        """Judges Fn::GetAtt's values, unless the last look may have shown an old state."""
        notes, since = self._watch.notes(invocation), self._watch.horizon(invocation, arn)
        late = notes.changed_at is not None and since is not None and since < notes.changed_at
        judged = self._truth.key(arn) is not None and not late
        named = notes.tags.get(uuid_of(arn), {}).get(consent.TAG, "")
        evidence = Evidence(
            consents=consent.allows(named, invocation.stack_id.split("/")[1]),
            answered=not notes.unanswered & READS,
            declared=str(invocation.properties.get("ExpectedCheckValue", "")),
        )
        wrong = untrue(self._truth, arn, answer["Data"], evidence) if judged else ""
        if wrong:
            raise self._watch.fault(3, invocation, wrong, arn)

    def _places(self, invocation: Invocation, arn: str) -> set[str]:
        """The states that the declared bytes may have: current, and for STAGE also pending."""
        places = {MaterialState.CURRENT.value}
        on_replica = arn.split(":")[3] != getattr(self._truth.family(arn), "primary_region", "")
        if invocation.properties.get("NewMaterial") == "STAGE" or on_replica:
            places.add(MaterialState.PENDING.value)
        old = invocation.event.get("OldResourceProperties", {})
        in_place = invocation.event.get("PhysicalResourceId") in (arn, uuid_of(arn))
        if in_place and all(old.get(name) == invocation.properties.get(name) for name in _LOCATES):
            places.add(MaterialState.NON_CURRENT.value)
        return places

    def _expires_as_asked(self, invocation: Invocation, arn: str, material_id: str) -> None:
        wrong = self._wrong_expiry(invocation, arn, material_id)
        if wrong:
            raise self._watch.fault(3, invocation, f"answers SUCCESS, and in {{key}} the material {wrong}", arn)

    def _wrong_expiry(self, invocation: Invocation, arn: str, material_id: str) -> str:
        """What differs from the properties; "" for nothing. ValidForDays counts from the import, whose time is not known."""
        holding = self._truth.holdings(arn)[material_id]
        days, until = invocation.properties.get("ValidForDays"), invocation.properties.get("ValidTo")
        if until is not None:
            wanted = datetime.fromisoformat(until)
            return "" if holding.valid_to == wanted else f"expires at {holding.valid_to}, not at {wanted}"
        if days is None:
            return "" if holding.valid_to is None else f"expires at {holding.valid_to}"
        if holding.valid_to is None:
            return "does not expire"
        left = holding.valid_to - self._watch.scheduler.now()
        if left > timedelta(days=int(days)):
            return f"expires in {left}"
        if self._watch.notes(invocation).imported and holding.valid_to < invocation.started_at + timedelta(
            days=int(days), seconds=-1
        ):
            return f"expires in {left}"
        return ""

    def _reports_what_is_lost(self, invocation: Invocation, answer: Mapping[str, Any]) -> None:
        """Rule 3, second half: if a rollback succeeds, its log says what it could not restore."""
        asked = self._asked(invocation)
        arn = asked.arn
        left, notes = any(LEFT in line for line in invocation.log), self._watch.notes(invocation)
        if notes.looked_at(arn) is None or not self._undisturbed(invocation, arn):
            return
        self._gives_what_is_so(invocation, arn, answer)
        if left:
            return
        if not self._truth.is_whole(arn):
            raise self._watch.fault(3, invocation, "rolls back, {key} lacks material, and its log does not say so", arn)
        if asked.material is None or "SecretVersionId" not in invocation.properties:
            return  # the properties don't show what the key held before
        material = self._truth.material_of(arn, asked.material)
        if material is None or material.id not in self._truth.holdings(arn):
            return  # the key never held what the old properties declare
        if material.state is MaterialState.NON_CURRENT:
            forward, version = invocation.event["OldResourceProperties"], invocation.properties["SecretVersionId"]
            # The function can't know of rotations by another resource or another stack, which the request does not show.
            if forward.get("NewMaterial") == "ROTATE" and forward.get("SecretVersionId") != version:
                what = "rolls back, {key} was rotated meanwhile, and its log does not say so"
                raise self._watch.fault(3, invocation, what, arn)
            return
        wrong = self._wrong_expiry(invocation, arn, material.id)
        if wrong and not (notes.imported and any(WENT_FORWARD in line for line in invocation.log)):
            what = f"rolls back, in {{key}} the material {wrong}, and its log does not say so"
            raise self._watch.fault(3, invocation, what, arn)

    # ------------------------------------------------------------------------------------------------------------ delete

    def _left_nothing(self, invocation: Invocation, arn: str) -> None:
        """Rule 5: after a Delete with the ARN no material is left, unless another resource of the stack holds the key."""
        if not arn.startswith("arn:") or self._truth.is_on_its_way_out(arn) or not self._truth.holdings(arn):
            return
        if self._watch.others_hold(invocation, arn) or self._watch.notes(invocation).holders:
            return
        since = self._watch.horizon(invocation, arn)
        ledger = self._truth.ledger(arn)
        # This Delete need not remove what others imported after the function saw the key empty.
        if since is not None and all(ledger.brought_by[id_][1] >= since for id_ in self._truth.holdings(arn)):
            return
        raise self._watch.fault(5, invocation, "succeeds, and {key} still holds material", arn)

    # ----------------------------------------------------------------------------------------------------- as it is taken

    def settled(self, sent: Sent, answer: Answer) -> None:
        """CloudFormation has taken an answer, or has given up waiting."""
        if answer.reason == NO_ANSWER:
            self._silent(sent)
        elif sent.rollback and not answer.succeeded and not (self._status_was_unreadable(sent) or self._gave_up(sent)):
            raise self._watch.broken(7, f"a rollback fails: {sent}: {answer.reason}")
        elif sent.event["RequestType"] == "Delete" and answer.succeeded:
            self._undone.discard(_of_delete(sent))
            self._end_tenure(sent)
        if sent.event["RequestType"] == "Delete" and not answer.succeeded:
            self._undone.add(_of_delete(sent))

    def _invocations(self, sent: Sent) -> list[Invocation]:
        return self._watch.invocations_of(sent.event["RequestId"])

    def _silent(self, sent: Sent) -> None:
        """Rule 6: an invocation that began in time, and did not die, answers in time. Running out of time is not dying.

        `slow`: calls that each take seconds may need more than the ten per cent of ServiceTimeout that the function reserves.
        """
        until = sent.sent_at + timedelta(seconds=sent.timeout_seconds)
        for invocation in self._invocations(sent):
            began_in_time = invocation.started_at < until - timedelta(seconds=sent.timeout_seconds / 5)
            dies = invocation.error is not None and not isinstance(invocation.error, (Leave, OutOfTime))
            lives = not dies and not invocation.handed_over
            if began_in_time and lives and not (invocation.ended and invocation.answers) and not self.slow:
                raise self._watch.broken(6, f"{invocation} lives, and gives no answer before ServiceTimeout")

    def _gave_up(self, sent: Sent) -> bool:
        """Whether Lambda gave the request up. Then nobody has looked at the key, and a success would be a guess."""
        return any(one.on_failure and one.answers for one in self._invocations(sent))

    def _status_was_unreadable(self, sent: Sent) -> bool:
        """Whether the function could not read the stack's status. Only that shows a rollback; the event does not."""
        return any(one.answers and self._watch.notes(one).stack is None for one in self._invocations(sent))

    def _end_tenure(self, sent: Sent) -> None:
        """After a Delete, the stack's time with the key ends, unless another resource of the stack holds the key."""
        arn, stack_id = sent.event["PhysicalResourceId"], sent.event["StackId"]
        stack = next(stack for stack in self._watch.stacks if stack.id == stack_id)
        held = any(
            one.physical_id in (arn, uuid_of(arn)) and one.logical_id != sent.event["LogicalResourceId"]
            for one in stack.resources.values()
        )
        # If another of its resources had the key, its Delete may be under way or may be tried again. It then removes this
        # stack's material, which can't be distinguished from later material.
        held = held or any(_of_delete(one)[:2] == (stack_id, arn) for one in self._deletes_under_way(stack, sent))
        held = held or any(one[:2] == (stack_id, arn) for one in self._undone)
        if arn.startswith("arn:") and not held:
            self._truth.ledger(arn).since.pop(stack_id, None)

    @staticmethod
    def _deletes_under_way(stack: Stack, but: Sent) -> Iterator[Sent]:
        for one in stack.requests.sent.values():
            if one is not but and one.event["RequestType"] == "Delete" and one.awaited and not one.answered.is_set:
                yield one


def _of_delete(sent: Sent) -> tuple[str, str, str]:
    """The stack, the physical id, and the resource."""
    event = sent.event
    return str(event["StackId"]), str(event["PhysicalResourceId"]), str(event["LogicalResourceId"])
