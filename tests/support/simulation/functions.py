"""Lambda's asynchronous invocation, as CloudFormation uses it, around the real function.

A delivery waits in a queue, may come late, may come twice. An execution runs in an environment, a warm one if one is free; it
may crash at any API call, and is ended when its time is up. A failed execution is tried again after one and after two minutes;
what is older than an hour is dropped (AWS Lambda Developer Guide, "Asynchronous invocation").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from imported_key_material.responder import Responder
from tests.support.simulation.scheduler import Scheduler, Task

RETRIES = 2
AGE_MAX = timedelta(hours=1)
TIMEOUT_SECONDS = 900.0


class Crash(BaseException):
    """The environment dies: out of memory, out of time, out of luck."""


@dataclass
class Weather:
    """How often (0 to 1) things go wrong; of a whole history."""

    duplicate: float = 0.0
    late: float = 0.0
    crash: float = 0.0  # for each API call, before it or after it
    put_lost: float = 0.0  # the answer's PUT, before it arrives or after it
    late_seconds: float = 400.0


@dataclass
class Execution:
    """One run of the function for one delivery; what `watch.py` knows of it is kept beside it."""

    number: int
    event: Mapping[str, Any]
    started_at: datetime
    answers: int = 0
    calls: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def request_type(self) -> str:
        return str(self.event["RequestType"])

    @property
    def properties(self) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.event["ResourceProperties"]
        return properties

    @property
    def stack_id(self) -> str:
        return str(self.event["StackId"])


class Context:
    function_name = "imported-key-material"
    aws_request_id = "d0c1b2a3-9485-4766-8574-635241302f1e"

    def __init__(self, scheduler: Scheduler, function_arn: str) -> None:
        self.invoked_function_arn = function_arn
        self._scheduler = scheduler
        self._end = scheduler.now() + timedelta(seconds=TIMEOUT_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        return round((self._end - self._scheduler.now()).total_seconds() * 1000)


class Functions:
    """One Region's function. `build` makes an environment of it."""

    def __init__(
        self,
        scheduler: Scheduler,
        random: Random,
        weather: Weather,
        build: Callable[[], Responder],
        tell: Callable[[str, str], None],
    ) -> None:
        self.executions: dict[Task, Execution] = {}
        self.count = 0
        self._scheduler = scheduler
        self._random = random
        self._weather = weather
        self._build = build
        self._tell = tell
        self._idle: list[Responder] = []

    def invoke(self, event: Mapping[str, Any]) -> None:
        """CloudFormation's call: it returns at once."""
        sent_at = self._scheduler.now()
        self._queue(event, sent_at, self._delay(), RETRIES)
        if self._random.random() < self._weather.duplicate:
            self._queue(event, sent_at, self._delay() + self._random.uniform(0, 120), RETRIES)

    def _delay(self) -> float:
        if self._random.random() < self._weather.late:
            return self._random.uniform(1, self._weather.late_seconds)
        return self._random.uniform(0.01, 0.5)

    def _queue(self, event: Mapping[str, Any], sent_at: datetime, seconds: float, retries: int) -> None:
        self._scheduler.after(seconds, lambda: self._start(event, sent_at, retries))

    def _start(self, event: Mapping[str, Any], sent_at: datetime, retries: int) -> None:
        if self._scheduler.now() - sent_at > AGE_MAX:
            self._tell("lambda", f"drops {event['RequestType']} {event['LogicalResourceId']}: too old")
            return
        self.count += 1
        execution = Execution(self.count, event, self._scheduler.now())
        responder = self._idle.pop() if self._idle else self._build()
        made_at = event["ResponseURL"].split("X-Amz-Date=")[1][9:15]
        self._tell(
            "lambda", f"starts #{execution.number} {event['RequestType']} {event['LogicalResourceId']}, made at {made_at}"
        )

        def run() -> None:
            responder(event, Context(self._scheduler, event["ServiceToken"]))

        task = self._scheduler.spawn(f"#{execution.number}", run)
        self.executions[task] = execution
        self._scheduler.after(TIMEOUT_SECONDS, lambda: task.kill(Crash("out of time")))
        self._scheduler.spawn(
            f"after #{execution.number}", lambda: self._after(task, execution, responder, sent_at, retries)
        )

    def _after(self, task: Task, execution: Execution, responder: Responder, sent_at: datetime, retries: int) -> None:
        task.done.wait()
        del self.executions[task]
        if task.error is None:
            self._idle.append(responder)
            return
        self._tell("lambda", f"#{execution.number} ended with {type(task.error).__name__} {task.error}")
        if not isinstance(task.error, Crash):
            self._idle.append(responder)
        if retries:
            seconds = 60.0 if retries == RETRIES else 120.0
            self._queue(execution.event, sent_at, seconds + self._delay(), retries - 1)

    def current(self) -> Execution | None:
        task = self._scheduler.current()
        return None if task is None else self.executions.get(task)

    def at_call(self, name: str) -> None:
        """Before and after each API call of an execution: other tasks take their turns; the environment may die."""
        execution = self.current()
        if execution is None:
            return
        execution.calls.append(name)
        self._scheduler.sleep(self._random.uniform(0.005, 0.1))
        if self._random.random() < self._weather.crash:
            raise Crash(f"at {name}")
