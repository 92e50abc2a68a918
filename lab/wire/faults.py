"""Faults between a client and a service, from one seeded source.

A fault strikes before the effect (the service never sees the call) or after it (the service has acted, and the answer is
lost). `inject` plans a fault, or a test's own Refusal such as AccessDenied, for a call that the test names; `rates` draws
faults. All are off by default. Each service defines its answers for a throttle or an internal error (`FaultAnswers`); the
transport raises a lost connection.
"""

import enum
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lab.wire.transport import Fault, Refusal, Request, Response, Service


class Moment(enum.Enum):
    BEFORE = "before the effect"
    AFTER = "after the effect"


CONNECTION_FAULTS = frozenset({Fault.CONNECTION_CLOSED, Fault.READ_TIMEOUT})


class ConnectionLost(Exception):
    """The transport cuts the line: there is no answer."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.value)


@dataclass
class _Planned:
    operation: str
    fault: Fault | Refusal
    moment: Moment
    skip: int
    times: int


@dataclass
class Faults:
    """`rates`: how often (0 to 1) a fault strikes a call at a moment. Drawn once per call and moment."""

    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  # a test's dice
    rates: Mapping[tuple[Fault, Moment], float] = field(default_factory=dict)
    struck: list[tuple[str, Fault | Refusal, Moment]] = field(default_factory=list)
    _planned: list[_Planned] = field(default_factory=list)

    def inject(
        self, operation: str, fault: Fault | Refusal, moment: Moment = Moment.BEFORE, *, skip: int = 0, times: int = 1
    ) -> None:
        """After `skip` calls without a fault, the next `times` calls of `operation` meet `fault` at `moment`."""
        self._planned.append(_Planned(operation, fault, moment, skip, times))

    def carry(
        self, service: Service, request: Request, operation: str, at: Callable[[Moment], None] = lambda _: None
    ) -> Response:
        """One exchange with its faults. Calls `at` at each moment, before a fault is drawn. Raises ConnectionLost."""
        at(Moment.BEFORE)
        struck = self._answer(service, operation, Moment.BEFORE)
        if struck is not None:
            return struck
        answer = service.handle(request)
        at(Moment.AFTER)
        struck = self._answer(service, operation, Moment.AFTER)
        return answer if struck is None else struck

    def _answer(self, service: Service, operation: str, moment: Moment) -> Response | None:
        fault = self.strike(operation, moment)
        if fault is None:
            return None
        if isinstance(fault, Refusal):
            return service.refuse(fault)
        if fault in CONNECTION_FAULTS:
            raise ConnectionLost(fault)
        return service.refuse(service.fault_answers[fault])

    def strike(self, operation: str, moment: Moment) -> Fault | Refusal | None:
        """Which fault meets this call at this moment, if any."""
        fault = self._from_plan(operation, moment) or self._from_dice(moment)
        if fault is not None:
            self.struck.append((operation, fault, moment))
        return fault

    def _from_plan(self, operation: str, moment: Moment) -> Fault | Refusal | None:
        for plan in self._planned:
            if plan.operation != operation or plan.moment is not moment or plan.times == 0:
                continue
            if plan.skip:
                plan.skip -= 1
                continue
            plan.times -= 1
            return plan.fault
        return None

    def _from_dice(self, moment: Moment) -> Fault | None:
        for (fault, when), rate in self.rates.items():
            if when is moment and self.dice.random() < rate:
                return fault
        return None
