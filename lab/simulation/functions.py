"""Lambda's asynchronous invocation, as CloudFormation uses it, around the real function.

A delivery waits in a queue, may come late, may come twice. An invocation runs in an environment, a warm one if one is free; it
may crash at any API call, and ends when its time is up. A failed invocation is tried again once, after a minute; an event
older than 3,000 seconds is dropped. The real on-failure function gets each event that is given up, in up to three tries
(template.yaml; AWS Lambda Developer Guide, "Asynchronous invocation"). An invocation may invoke the function again; Lambda
stops a chain that looks like a loop ("Use Lambda recursive loop detection").
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from imported_key_material.cloudformation.on_failure import OnFailure
from imported_key_material.cloudformation.responder import Responder
from lab.on_failure import KILLED, End, ended_with
from lab.simulation.scheduler import Scheduler, Task
from lab.wire.faults import Moment

RETRIES = 1
RETRY_SECONDS = (60.0, 120.0)
AGE_MAX = timedelta(seconds=3000)
ON_FAILURE_RETRIES = 2
ON_FAILURE_TIMEOUT_SECONDS = 300.0
TIMEOUT_SECONDS = 900.0
HOPS_MAX = 16  # Lambda's approximate limit for one chain of invocations


def _end(error: BaseException) -> End:
    """How Lambda reports the end of the last try."""
    if isinstance(error, OutOfTime):
        return ended_with("Sandbox.Timedout", "Task timed out after 900.00 seconds")
    return KILLED if isinstance(error, Crash) else ended_with(type(error).__name__, "not told")


class Crash(BaseException):
    """The environment dies."""


class OutOfTime(Crash):
    """Lambda ends the invocation at its timeout."""


@dataclass
class Weather:
    """The rates of faults (0 to 1), for a whole history."""

    duplicate: float = 0.0
    late: float = 0.0
    late_seconds: float = 400.0
    crash: float = 0.0  # at each API call, before it and after it
    slow: float = 0.0  # each API call: its request, and its answer
    put_lost: float = 0.0  # the answer's PUT, before it arrives or after it
    timeout_seconds: float = TIMEOUT_SECONDS
    struck: int = 0

    def strikes(self, rate: float, random: Random) -> bool:
        """Whether the fault strikes now. Draws in calm weather, too, so that a calm history differs in nothing else."""
        strikes = random.random() < rate
        self.struck += strikes
        return strikes

    def calm(self) -> None:
        self.duplicate = self.late = self.crash = self.slow = self.put_lost = 0.0
        self.timeout_seconds = TIMEOUT_SECONDS


@dataclass
class Invocation:
    """One run of the function for one delivery. `notes`: what `watch.py` saw of it; `log`: its log lines."""

    number: int
    region: str
    event: Mapping[str, Any]
    started_at: datetime
    ends_at: datetime
    notes: Any = None
    hop: int = 0  # how often the request was handed over before this invocation
    handed_over: bool = False
    answers: int = 0
    calls: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    ended: bool = False
    error: BaseException | None = None
    on_failure: bool = False  # of the on-failure function

    @property
    def request_type(self) -> str:
        return str(self.event["RequestType"])

    @property
    def properties(self) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.event["ResourceProperties"]
        return properties

    @property
    def request_id(self) -> str:
        return str(self.event["RequestId"])

    @property
    def stack_id(self) -> str:
        return str(self.event["StackId"])

    @property
    def stack_name(self) -> str:
        return self.stack_id.split("/")[1]

    def __str__(self) -> str:
        after = ", given up" if self.on_failure else ""
        return f"#{self.number} {self.request_type} {self.event['LogicalResourceId']}{after}"


class Context:
    """Lambda's context object, on the history's clock."""

    function_name = "imported-key-material"
    aws_request_id = "d0c1b2a3-9485-4766-8574-635241302f1e"
    memory_limit_in_mb = 512

    def __init__(self, scheduler: Scheduler, invocation: Invocation) -> None:
        self.invoked_function_arn = str(invocation.event["ServiceToken"])
        self._scheduler = scheduler
        self._end = invocation.ends_at

    def get_remaining_time_in_millis(self) -> int:
        return round((self._end - self._scheduler.now()).total_seconds() * 1000)


class Functions:
    """One Region's function. `build` makes an environment; `at_each_call` is called at every API call of an invocation."""

    def __init__(  # noqa: PLR0913, PLR0917  # one place makes it
        self,
        region: str,
        scheduler: Scheduler,
        random: Random,
        weather: Weather,
        build: Callable[[], Responder],
        tell: Callable[[str, str], None],
        numbers: Iterator[int],
        on_failure: Callable[[], OnFailure] | None = None,
    ) -> None:
        self.invocations: list[Invocation] = []
        self.at_each_call: Callable[[Invocation, str, Moment], None] = lambda *_: None
        self.on_start: Callable[[Invocation], None] = lambda _: None
        self._region = region
        self._numbers = numbers  # shared by all Regions
        self._running: dict[Task, Invocation] = {}
        self._scheduler = scheduler
        self._random = random
        self._weather = weather
        self._build = build
        self._tell = tell
        self._on_failure = on_failure
        self._idle: list[Responder] = []

    def invoke(self, event: Mapping[str, Any]) -> None:
        """CloudFormation's call. It returns at once."""
        self._take(event, 0)

    def hand_over(self, invocation: Invocation, event: Mapping[str, Any]) -> None:
        """An invocation's own call, which invokes the function again."""
        if event != invocation.event:
            raise ValueError(f"{invocation} hands over another event than its own")
        if invocation.hop == HOPS_MAX:
            raise ValueError(f"{invocation} hands the request over for the {HOPS_MAX + 1}th time: Lambda sees a loop")
        invocation.handed_over = True
        self._take(event, invocation.hop + 1)

    def _take(self, event: Mapping[str, Any], hop: int) -> None:
        sent_at = self._scheduler.now()
        self._queue(event, hop, sent_at, self._delay(), RETRIES)
        if self._weather.strikes(self._weather.duplicate, self._random):
            later = self._delay() + self._random.choice((0.0, self._random.uniform(0, 120)))
            self._queue(event, hop, sent_at, later, RETRIES)

    def invoke_now(self, event: Mapping[str, Any]) -> None:
        """A duplicate that starts now."""
        self._queue(event, 0, self._scheduler.now(), 0.0, RETRIES)

    def _delay(self) -> float:
        if self._weather.strikes(self._weather.late, self._random):
            return self._random.uniform(1, self._weather.late_seconds)
        return self._random.uniform(0.01, 0.5)

    def _queue(self, event: Mapping[str, Any], hop: int, sent_at: datetime, seconds: float, retries: int) -> None:
        self._scheduler.after(seconds, lambda: self._start(event, hop, sent_at, retries))

    def _start(self, event: Mapping[str, Any], hop: int, sent_at: datetime, retries: int) -> None:
        now = self._scheduler.now()
        if now - sent_at > AGE_MAX:
            self._tell("lambda", f"drops {event['RequestType']} {event['LogicalResourceId']}: too old")
            self._give_up(event, End("EventAgeExceeded", 0))
            return
        timeout_seconds = self._weather.timeout_seconds
        number = next(self._numbers)
        invocation = Invocation(number, self._region, event, now, now + timedelta(seconds=timeout_seconds), hop=hop)
        self.invocations.append(invocation)
        responder = self._idle.pop() if self._idle else self._build()
        self._tell("lambda", f"{invocation} starts, {(now - sent_at).total_seconds():.0f} s after it was sent")
        self.on_start(invocation)
        task = self._scheduler.spawn(f"#{number}", lambda: responder(event, Context(self._scheduler, invocation)))
        self._running[task] = invocation
        self._scheduler.at(invocation.ends_at, lambda: task.kill(OutOfTime("out of time")))
        self._scheduler.spawn(f"after #{number}", lambda: self._after(task, invocation, responder, sent_at, retries))

    def _after(self, task: Task, invocation: Invocation, responder: Responder, sent_at: datetime, retries: int) -> None:
        task.done.wait()
        del self._running[task]
        invocation.ended, invocation.error = True, task.error
        if not isinstance(task.error, Crash):
            self._idle.append(responder)
        if task.error is None:
            if not invocation.answers:
                how = "hands the request over" if invocation.handed_over else "leaves without an answer"
                self._tell("lambda", f"{invocation} {how}")
            return
        self._tell("lambda", f"{invocation} ends with {type(task.error).__name__} {task.error}")
        if retries:
            seconds = RETRY_SECONDS[retries - 1] + self._delay()
            self._queue(invocation.event, invocation.hop, sent_at, seconds, retries - 1)
        else:
            self._give_up(invocation.event, _end(task.error))

    # --------------------------------------------------------------------------------------------------- given up

    def _give_up(self, event: Mapping[str, Any], end: End, retries: int = ON_FAILURE_RETRIES) -> None:
        """Lambda invokes the on-failure function."""
        if self._on_failure is not None:
            self._scheduler.after(self._delay(), lambda: self._tell_on_failure(event, end, retries))

    def _tell_on_failure(self, event: Mapping[str, Any], end: End, retries: int) -> None:
        if self._on_failure is None:
            return
        now = self._scheduler.now()
        ends_at = now + timedelta(seconds=ON_FAILURE_TIMEOUT_SECONDS)
        invocation = Invocation(next(self._numbers), self._region, event, now, ends_at, on_failure=True)
        self.invocations.append(invocation)
        self._tell("lambda", f"{invocation} starts")
        on_failure = self._on_failure()
        context = Context(self._scheduler, invocation)
        task = self._scheduler.spawn(f"#{invocation.number}", lambda: on_failure(end.record(event), context))
        self._running[task] = invocation
        self._scheduler.at(ends_at, lambda: task.kill(OutOfTime("out of time")))

        def after() -> None:
            task.done.wait()
            del self._running[task]
            invocation.ended, invocation.error = True, task.error
            if task.error is not None and retries:
                self._scheduler.after(
                    RETRY_SECONDS[retries - 1], lambda: self._tell_on_failure(event, end, retries - 1)
                )

        self._scheduler.spawn(f"after #{invocation.number}", after)

    def current(self) -> Invocation | None:
        task = self._scheduler.current()
        return None if task is None else self._running.get(task)

    def at_call(self, invocation: Invocation, operation: str, moment: Moment) -> None:
        """Called before and after each API call of an invocation: other tasks run; the environment may die."""
        if moment is Moment.BEFORE:
            invocation.calls.append(operation)
        slow = self._weather.strikes(self._weather.slow, self._random)
        self._scheduler.sleep(self._random.uniform(1, 8) if slow else self._random.uniform(0.005, 0.1))
        self.at_each_call(invocation, operation, moment)
        if self._weather.strikes(self._weather.crash, self._random):
            raise Crash(f"at {operation}, {moment.value}")
