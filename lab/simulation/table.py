"""The full table: every operation x every API call that it makes x every fault. Only asymmetric keys are sampled.

An operation is played once without faults, which gives its calls. Then it is played again for each call and each fault: the
fault strikes there once, and Lambda and CloudFormation continue as usual. At the end the rights are back, and all invariants
are judged. `refused` lasts: the right is missing until the end. Of a call that is polled, only the first three rounds and the
last one count.

    python -m lab.simulation table        as `make table`

`make test` plays every fifth case of each operation (`share`), with each commit from another one on. The gate runs it, too:
there `--without-share N` leaves these cases out.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from lab.simulation import many, story
from lab.simulation.history import play
from lab.simulation.plan import BAD, Declared, Deployment, KeyPlan, Plan, Step, Strike
from lab.simulation.scheduler import START

FAULTS = (
    "refused", "throttled", "internal", "lost before", "lost after", "crash before", "crash after", "duplicate",
)  # fmt: skip
AT = 2000.0  # seconds; the operation begins then, after the steps that prepare it
_ASYMMETRIC_EVERY = 37  # every 37th case of asymmetric keys; a prime, so that all faults occur
_ROUNDS = 3  # of a polled call, so many rounds count, and the last one
SHARES = 5
_SYMMETRIC, _HMAC, _EC = "SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256"


@dataclass(frozen=True, slots=True)
class Operation:
    """`before`: steps that prepare it. Faults strike all later invocations, also a rollback's and a clean-up's."""

    name: str
    steps: tuple[Step, ...]
    before: tuple[Step, ...] = ()
    held: bool = False
    specs: tuple[str, ...] = (_SYMMETRIC, _HMAC, _EC)


def _apply(at: float, *resources: tuple[str, Declared]) -> Step:
    return Step(at, "deploy", (Deployment("orders", 0, "apply", resources),))


def _create(version: int = 0, **options: object) -> Step:
    return _apply(0.0, ("Material", Declared(0, version).with_options(**options)))


_ROTATE, _STAGE = {"NewMaterial": "ROTATE"}, {"NewMaterial": "STAGE"}
_OF_SYMMETRIC = (_SYMMETRIC,)
_DELETE = Step(AT, "deploy", (Deployment("orders", 0, "delete"),))


def _update(version: int = 0, **options: object) -> tuple[Step, ...]:
    return (_apply(AT, ("Material", Declared(0, version).with_options(**options))),)


OPERATIONS = (
    Operation("create on an empty key", (replace(_create(), at=AT),)),
    Operation("create on a key that holds material", (replace(_create(), at=AT),), held=True),
    Operation("create that stages", (replace(_create(1, **_STAGE), at=AT),), held=True, specs=_OF_SYMMETRIC),
    Operation("update in place", _update(Trigger="again"), (_create(),)),
    Operation("update that changes the expiry", _update(ValidForDays="30"), (_create(),)),
    Operation("update with nothing to do", _update(ServiceTimeout="1800"), (_create(),)),
    Operation("update that stages", _update(1, **_STAGE), (_create(),), specs=_OF_SYMMETRIC),
    Operation("update that rotates", _update(1, **_ROTATE), (_create(),), specs=_OF_SYMMETRIC),
    Operation(
        "update that replaces what is staged",
        _update(2, **_STAGE),
        (_create(), replace(_create(1, **_STAGE), at=600.0)),
        specs=_OF_SYMMETRIC,
    ),
    Operation(
        "update that brings back lost material", _update(Trigger="lost"), (_create(), Step(900.0, "lose", (0, 0)))
    ),
    Operation(
        "update that brings back two lost materials",
        _update(1, NewMaterial="ROTATE", PreviousSecretVersionIds=True, Trigger="lost"),
        (_create(), replace(_create(1, **_ROTATE), at=600.0), Step(1500.0, "lose_all", (0, 0))),
        specs=_OF_SYMMETRIC,
    ),
    Operation("replacement", (_apply(AT, ("Material", Declared(1))),), (_create(),)),
    Operation("renaming", (_apply(AT, ("Renamed", Declared(0))),), (_create(),)),
    Operation(
        "rollback of a re-import",
        (_apply(AT, ("Material", Declared(0).with_options(Trigger="again")), ("Failing", Declared(1, BAD))),),
        (_create(),),
    ),
    Operation(
        "rollback of a replacement",
        (_apply(AT, ("Material", Declared(1)), ("Failing", Declared(1, BAD))), Step(AT + 60, "cancel")),
        (_create(),),
    ),
    Operation(
        "rollback with lost material",
        (_apply(AT, ("Material", Declared(0, BAD))),),
        (_create(), Step(900.0, "lose", (0, 0))),
    ),
    Operation(
        "cancelled rotation", (*_update(1, **_ROTATE), Step(AT + 20, "cancel")), (_create(),), specs=_OF_SYMMETRIC
    ),
    Operation("delete", (_DELETE,), (_create(),)),
    Operation("delete of an adopted key", (_DELETE,), (_create(),), held=True),
    Operation(
        "delete of several materials",
        (_DELETE,),
        (_create(), replace(_create(1, **_ROTATE), at=600.0), replace(_create(2, **_STAGE), at=1200.0)),
        specs=_OF_SYMMETRIC,
    ),
    Operation(
        "delete of one of two on a key",
        (_apply(AT, ("Other", Declared(0))),),
        (_apply(0.0, ("Material", Declared(0)), ("Other", Declared(0))),),
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    operation: Operation
    spec: str
    invocation: int  # number among those that begin after AT
    call: int
    api: str
    fault: str

    def __str__(self) -> str:
        where = f"call {self.call + 1} of invocation {self.invocation + 1}, {self.api}"
        return f"{self.operation.name}, {self.spec}: {self.fault} at {where}"

    def plan(self) -> Plan:
        return replace(plan_of(self.operation, self.spec), strike=Strike(AT, self.invocation, self.call, self.fault))


def plan_of(operation: Operation, spec: str) -> Plan:
    keys = (KeyPlan(spec, operation.held), KeyPlan(spec))
    return Plan(0, keys, (*operation.before, *operation.steps))


@cache
def calls_of(operation: Operation, spec: str) -> Sequence[tuple[int, int, str]]:
    """(invocation, call, operation of AWS) of a run without faults, of all invocations that begin after AT."""
    return tuple(_calls_of(operation, spec))


def _calls_of(operation: Operation, spec: str) -> Iterator[tuple[int, int, str]]:
    result = play(plan_of(operation, spec))
    if result.violation is not None:
        raise result.violation
    began = [one for one in result.invocations if (one.started_at - START).total_seconds() >= AT]
    for number, invocation in enumerate(began):
        last = {api: call for call, api in enumerate(invocation.calls)}
        times: Counter[str] = Counter()
        for call, api in enumerate(invocation.calls):
            times[api] += 1
            if times[api] <= _ROUNDS or call == last[api]:
                yield number, call, api


def cases(operations: Sequence[Operation] = OPERATIONS) -> list[Case]:
    """All cases of the operations; for asymmetric keys, every thirty-seventh."""
    exhaustive = [
        Case(operation, spec, invocation, call, api, fault)
        for operation in operations
        for spec in operation.specs
        for invocation, call, api in calls_of(operation, spec)
        for fault in FAULTS
    ]
    asymmetric = [case for case in exhaustive if case.spec == _EC]
    left_out = set(asymmetric) - set(asymmetric[::_ASYMMETRIC_EVERY])
    return [case for case in exhaustive if case not in left_out]


def share(operation: Operation, number: int) -> list[Case]:
    """Every fifth case of an operation. `number`: any number, such as a commit's."""
    return cases((operation,))[number % SHARES :: SHARES]


def wrong(case: Case) -> str:
    """Plays a case. Returns the broken rule; "" for none."""
    violation = play(case.plan()).violation
    return f"{case}: {violation}" if violation is not None else ""


def main(processes: int = os.cpu_count() or 1, without_share: int | None = None) -> int:
    left_out = set() if without_share is None else {case for each in OPERATIONS for case in share(each, without_share)}
    everything = [case for case in cases() if case not in left_out]
    for index, what in enumerate(many.on_all_cores(wrong, everything, len(everything), processes, "cases")):
        if what:
            case = next(case for case in everything if what.startswith(f"{case}: "))
            print(what)  # noqa: T201  # a program's
            for line in story.events(play(case.plan(), every_call=True)):
                print(line)  # noqa: T201  # the same
            print(f"case {index + 1} of {len(everything)} in the order of their ends")  # noqa: T201  # the same
            return 1
    left = f"; {len(left_out)} are left to make test" if left_out else ""
    print(f"{len(everything)} cases, 0 violations{left}")  # noqa: T201  # the same
    return 0
