"""The invariants of a history, and what must be seen to judge them.

The numbers are those of docs/simulation.md. A broken one raises `Violation` at the step that breaks it.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.in_process import Call
from tests.support.kms.keys import Family
from tests.support.kms.service import StrictKms
from tests.support.simulation.engine import SIGNATURE, Answer, Stack
from tests.support.simulation.functions import Execution, Functions
from tests.support.simulation.scheduler import START, Scheduler
from tests.support.transport import Request, Response, Service

TAG = "imported-key-material"
_HOLDING_STATES = ("Enabled", "Disabled", "Updating")


class Violation(Exception):
    """An invariant is broken."""

    def __init__(self, rule: int, what: str) -> None:
        self.rule = rule
        self.what = what
        super().__init__(f"rule {rule} broken: {what}")


@dataclass
class Ledger:
    """What has happened to one key, as far as invariants ask."""

    foreign_to: dict[str, bool] = field(default_factory=dict)  # stack id: held material before the stack touched it
    excused: str = ""  # why it may be without its material
    touches: list[tuple[datetime, int]] = field(default_factory=list)  # when, and by which execution; 0: a person

    def touched(self, at: datetime, by: int) -> None:
        self.touches.append((at, by))

    def by_others(self, number: int, since: datetime) -> bool:
        return any(at >= since and by != number for at, by in self.touches)


class Watch:
    """Sees every call of every execution, with its answer, and every answer to CloudFormation."""

    def __init__(
        self, scheduler: Scheduler, kms: StrictKms, functions: Mapping[str, Functions], good: Callable[[bytes], bool]
    ) -> None:
        self.stacks: list[Stack] = []
        self.ledgers: dict[str, Ledger] = {}  # by key ARN
        self.texts: list[str] = []  # everything that leaves the function
        self.secrets: list[bytes] = []  # what must be in none of them
        self.rollbacks: set[str] = set()  # request ids
        self._scheduler = scheduler
        self._kms = kms
        self._functions = functions
        self._good = good
        self._settled: dict[str, list[Execution]] = {}

    def _broken(self, rule: int, what: str) -> Violation:
        """Ends the history, even where the code that is being judged would catch the exception."""
        violation = Violation(rule, what)
        self._scheduler.broken = self._scheduler.broken or violation
        return violation

    # ---------------------------------------------------------------------------------------------------------- seeing

    def execution(self) -> Execution | None:
        for functions in self._functions.values():
            found = functions.current()
            if found is not None:
                return found
        return None

    def family(self, key_arn: str) -> Family | None:
        return self._kms._store.family(key_arn.rsplit("/", 1)[-1], self._scheduler.now())  # noqa: SLF001  # the truth

    def held(self, key_arn: str) -> list[bytes]:
        """The materials that the key holds in its Region, as bytes."""
        family, region = self.family(key_arn), key_arn.split(":")[3]
        if family is None or region not in family.keys:
            return []
        return [holding.secret.encoded for holding in family.keys[region].holdings.values()]

    def state(self, key_arn: str) -> str:
        view = self._kms.key(key_arn, region=key_arn.split(":")[3], account=key_arn.split(":")[4])
        return "gone" if view is None else str(view.state)

    def ledger(self, key_arn: str) -> Ledger:
        return self.ledgers.setdefault(key_arn, Ledger())

    def before(self, call: Call, params: Mapping[str, Any]) -> None:
        """An execution's call is about to take effect."""
        execution = self.execution()
        if execution is None or call.service != "kms":
            return
        arn = str(params.get("KeyId", ""))
        if call.operation == "ImportKeyMaterial":
            self._may_import(execution, arn)
            execution.seen["held before"] = self.held(arn)
        elif call.operation == "DeleteImportedKeyMaterial":
            self._may_delete(execution, arn, params)
        elif call.operation == "RotateKeyOnDemand":
            asked = execution.properties.get("NewMaterial") == "ROTATE" and execution.request_type != "Delete"
            if not asked or self._is_of_rollback(execution):
                raise self._broken(7, f"#{execution.number} rotates {_short(arn)}, and no operation asked for it")

    def after(self, call: Call, params: Mapping[str, Any], answer: Mapping[str, Any] | None) -> None:
        """A call has taken effect; `answer` is None where it was refused."""
        execution = self.execution()
        if execution is None:
            return
        if answer is not None:
            self._remember(execution, call, answer)
        if call.operation == "ImportKeyMaterial" and answer is not None:
            self._imported(execution, str(params["KeyId"]))
        if call.operation == "DeleteImportedKeyMaterial" and answer is not None and not params.get("KeyMaterialId"):
            self._removed(execution, str(params["KeyId"]))

    @staticmethod
    def _remember(execution: Execution, call: Call, answer: Mapping[str, Any]) -> None:
        if call.operation == "DescribeKey":
            execution.seen["state"] = answer["KeyMetadata"]["KeyState"]
            execution.seen["origin"] = answer["KeyMetadata"]["Origin"]
        elif call.operation == "GetSecretValue":
            execution.seen.setdefault("read from the secret", base64.b64decode(answer["SecretBinary"]))
        elif call.operation == "ListResourceTags":
            execution.seen["tags"] = {tag["TagKey"]: tag["TagValue"] for tag in answer["Tags"]}

    def read_stack(self, text: str) -> None:
        """What an execution was told of its stack: the statuses that rule 9 of the design asks for."""
        execution = self.execution()
        if execution is None:
            return
        for name in ("StackStatus", "ResourceStatus"):
            found = re.search(f"<{name}>([A-Z_]+)</{name}>", text)
            if found and "ListStackResources" not in text:
                execution.seen[name] = (found[1], self._scheduler.now())

    # ------------------------------------------------------------------------------------------------------- judging

    def _may_import(self, execution: Execution, arn: str) -> None:
        """Rules 4 and 7: what was read last allows it."""
        self._is_wanted(execution)
        state, stack_name = execution.seen.get("state"), execution.stack_id.split("/")[1]
        if state == "Disabled":
            raise self._broken(7, f"#{execution.number} imports into {_short(arn)} after a read that said Disabled")
        if state not in ("Enabled", "PendingImport", "Updating") or execution.seen.get("origin") != "EXTERNAL":
            raise self._broken(4, f"#{execution.number} imports into {_short(arn)} after a read that said {state}")
        if stack_name not in execution.seen.get("tags", {}).get(TAG, "").split():
            raise self._broken(4, f"#{execution.number} imports into {_short(arn)} without consent to {stack_name}")

    def _is_wanted(self, execution: Execution) -> None:
        """Rule 4: a read of a moment ago said that CloudFormation is at work on this very resource."""
        for name in ("StackStatus", "ResourceStatus"):
            status, at = execution.seen.get(name, ("nothing", START))
            own = execution.request_type.upper() if name == "ResourceStatus" and execution.request_type != "Delete" else ""
            stale = self._scheduler.now() - at > timedelta(seconds=60)
            if execution.request_type == "Delete" and name == "ResourceStatus":
                continue
            if stale or not status.startswith(own) or not status.endswith("_IN_PROGRESS"):
                raise self._broken(4, f"#{execution.number} changes a key, and the last read said {name} {status}")

    def _imported(self, execution: Execution, arn: str) -> None:
        held, before = self.held(arn), execution.seen.pop("held before", [])
        if not all(self._good(material) for material in held):
            raise self._broken(4, f"#{execution.number} imported bytes into {_short(arn)} that a check refuses")
        ledger = self.ledger(arn)
        # Two stacks that the tag names may race for an empty key: what counts is what this one could see.
        if not before or execution.seen.get("state") == "PendingImport":
            ledger.foreign_to[execution.stack_id] = False
        else:
            ledger.foreign_to.setdefault(execution.stack_id, True)
        ledger.touched(self._scheduler.now(), execution.number)
        if self.state(arn) in _HOLDING_STATES:
            ledger.excused = ""

    def _may_delete(self, execution: Execution, arn: str, params: Mapping[str, Any]) -> None:
        pending = params.get("KeyMaterialId") and execution.request_type != "Delete"
        if execution.request_type != "Delete" and not pending:
            raise self._broken(1, f"#{execution.number} removes material, and its request is no Delete")
        if pending:
            family = self.family(arn)
            if family is None or family.pending is None or family.pending.id != params["KeyMaterialId"]:
                known = family.material(params["KeyMaterialId"]) if family else None
                if known is not None and known.state.value != "PENDING_ROTATION":
                    raise self._broken(1, f"#{execution.number} removes material of {_short(arn)} that is not pending")
            elif family.rotation is not None:
                raise self._broken(7, f"#{execution.number} removes material of {_short(arn)} that a rotation is about to take")
            return
        self._is_wanted(execution)
        stack_name = execution.stack_id.split("/")[1]
        if stack_name not in execution.seen.get("tags", {}).get(TAG, "").split():
            raise self._broken(4, f"#{execution.number} removes material of {_short(arn)} without consent to {stack_name}")
        if self.held(arn) and self.ledger(arn).foreign_to.get(execution.stack_id, True):
            raise self._broken(1, f"#{execution.number} removes material of {_short(arn)} that was there before its stack")

    def _removed(self, execution: Execution, arn: str) -> None:
        for stack in self.stacks:
            if not _uses(stack, arn):
                continue
            if stack.id != execution.stack_id:
                self.ledger(arn).excused = f"removed by stack {execution.stack_id.split('/')[1]}"
            elif stack.status == "DELETE_IN_PROGRESS":
                continue

    def person(self, arn: str, excuse: str) -> None:
        """A person has done something to a key; `excuse` is not empty where it lost its material by that."""
        ledger = self.ledger(arn)
        ledger.touched(self._scheduler.now(), 0)
        if excuse:
            ledger.excused = excuse

    def put(self, body: bytes, *, awaited: bool) -> None:
        """An execution's PUT takes effect. `awaited`: CloudFormation waits for it, and so believes it."""
        execution = self.execution()
        if execution is None:
            raise self._broken(6, "an answer from no execution")
        execution.answers += 1
        if execution.answers > 1:
            raise self._broken(6, f"#{execution.number} answers twice")
        self.texts.append(body.decode())
        answer = json.loads(body)
        self._well_formed(execution, answer, body)
        forward = execution.request_type != "Delete" and not self._is_of_rollback(execution)
        if answer["Status"] == "SUCCESS" and forward and awaited:
            self._holds_what_is_asked(execution, answer)

    def _is_of_rollback(self, execution: Execution) -> bool:
        return execution.event["RequestId"] in self.rollbacks

    def _well_formed(self, execution: Execution, answer: Mapping[str, Any], body: bytes) -> None:
        names = ("StackId", "RequestId", "LogicalResourceId")
        if any(answer.get(name) != execution.event[name] for name in names):
            raise self._broken(6, f"#{execution.number} answers another request")
        physical_id = answer.get("PhysicalResourceId")
        if len(body) > 4096 or not isinstance(physical_id, str) or not 1 <= len(physical_id.encode()) <= 1024:
            raise self._broken(6, f"#{execution.number} gives an answer that CloudFormation does not take")
        if answer["Status"] == "FAILED" and not answer.get("Reason"):
            raise self._broken(6, f"#{execution.number} fails without a reason")

    def _holds_what_is_asked(self, execution: Execution, answer: Mapping[str, Any]) -> None:
        """Rule 3. Not judged where somebody else has been at the key since this execution began."""
        arn = answer["Data"]["KeyArn"]
        if self.ledger(arn).by_others(execution.number, execution.started_at):
            return
        if self.state(arn) not in _HOLDING_STATES:
            raise self._broken(3, f"#{execution.number} answers SUCCESS, and {_short(arn)} is {self.state(arn)}")
        expected = execution.seen.get("read from the secret")
        if expected is not None and expected not in self.held(arn):
            raise self._broken(3, f"#{execution.number} answers SUCCESS, and {_short(arn)} does not hold the bytes")
        family = self.family(arn)
        if family is None or expected is None:
            return
        holding = next(one for one in family.keys[arn.split(":")[3]].holdings.values() if one.secret.encoded == expected)
        if (holding.valid_to is not None) != ("ValidForDays" in execution.properties):
            raise self._broken(3, f"#{execution.number} answers SUCCESS, and {_short(arn)} has another expiry")

    def settled(self, stack: Stack, event: Mapping[str, Any], answer: Answer, rollback: bool) -> None:  # noqa: FBT001
        """CloudFormation has taken an answer, or has given up waiting."""
        if rollback and answer.status == "FAILED" and answer.reason != "no answer in time":
            raise self._broken(7, f"{stack.name}: a rollback's Update failed: {answer.reason}")
        physical_id = event.get("PhysicalResourceId", "")
        if event["RequestType"] == "Delete" and answer.succeeded and physical_id.startswith("arn:"):
            self._is_empty(stack, physical_id, event["LogicalResourceId"])

    def _is_empty(self, stack: Stack, arn: str, logical_id: str) -> None:
        """Rule 5."""
        if self.state(arn) not in _HOLDING_STATES or not self.held(arn):
            return
        ledger = self.ledger(arn)
        recently = ledger.by_others(-1, self._scheduler.now() - timedelta(minutes=20))
        if any(_uses(other, arn, but=(stack.name, logical_id)) for other in self.stacks) or recently:
            return
        raise self._broken(5, f"{stack.name}: a Delete of {_short(arn)} succeeded, and the key still holds material")

    def at_rest(self) -> None:
        """Rules 2 and 9, once nothing goes on any more."""
        for stack in self.stacks:
            if not stack.at_rest:
                raise self._broken(9, f"{stack.name} stays {stack.status}")
            if not stack.stands:
                continue
            for resource in stack.resources.values():
                arn = self.key_arn(str(resource.properties["KeyId"]), stack)
                if resource.physical_id not in (arn, arn.rsplit("/", 1)[-1]):
                    continue
                if not self.held(arn) and not self.ledger(arn).excused:
                    raise self._broken(2, f"{stack.name}.{resource.logical_id} stands, and {_short(arn)} is empty")

    @staticmethod
    def key_arn(key_id: str, stack: Stack) -> str:
        return key_id if key_id.startswith("arn:") else f"arn:aws:kms:{stack.region}:{stack.id.split(':')[4]}:key/{key_id}"

    def leaks(self, log: str) -> None:
        """Rule 8."""
        everything = "\n".join([*self.texts, log])
        if SIGNATURE in everything:
            raise self._broken(8, "a ResponseURL got out")
        for secret in self.secrets:
            if secret.hex() in everything.lower():
                raise self._broken(8, "material got out")


def _uses(stack: Stack, arn: str, but: tuple[str, str] = ("", "")) -> bool:
    """Whether a resource of the stack, besides one, holds the key."""
    return stack.status not in ("DELETE_COMPLETE", "NONE") and any(
        resource.physical_id in (arn, arn.rsplit("/", 1)[-1])
        for resource in stack.resources.values()
        if (stack.name, resource.logical_id) != but
    )


def _short(arn: str) -> str:
    return f"key {arn.rsplit('/', 1)[-1][:8]}"


class Watched:
    """A service whose calls are seen."""

    def __init__(self, service: Service, watch: Watch) -> None:
        self.name = service.name
        self.fault_answers = service.fault_answers
        self._service = service
        self._watch = watch

    def operation(self, request: Request) -> str:
        return self._service.operation(request)

    def refuse(self, refusal: Any) -> Response:
        return self._service.refuse(refusal)

    def handle(self, request: Request) -> Response:
        call = Call(self.name, self.operation(request), "", "")
        is_json = self.name != "cloudformation"
        params = json.loads(request.body) if is_json and request.body else {}
        self._watch.before(call, params)
        response = self._service.handle(request)
        if not is_json and response.status == 200:
            self._watch.read_stack(response.body.decode())
        answer = json.loads(response.body or b"{}") if is_json and response.status == 200 else None
        self._watch.after(call, params, answer)
        return response
