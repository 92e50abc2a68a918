"""Lambda at scale, around the real function: what is started at once, how fast that may grow, and what waits meanwhile.

AWS Lambda Developer Guide. "Understanding Lambda function scaling": an account has a limit of concurrent executions, and a
function gains at most 1,000 environments in ten seconds. "How Lambda handles errors and retries with asynchronous
invocation": what can't start goes back to the queue, and is tried again after one second, then more, up to five minutes,
until it is too old (template.yaml says how old). What is dropped then is answered by the on-failure function; here nobody
answers it, and it fails with ServiceTimeout.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from imported_key_material.cloudformation.responder import Responder
from lab.simulation.functions import Functions, Invocation, Weather
from lab.simulation.scheduler import Scheduler, Task

NEW_ENVIRONMENTS_MAX = 1000
RAMP = timedelta(seconds=10)
COLD_START_SECONDS = (0.8, 1.6)  # assumed, of a function with boto3 and cryptography; it counts for no timeout
QUEUE_FIRST_SECONDS, QUEUE_MAX_SECONDS = 1.0, 300.0
QUEUE_SPREAD = (0.5, 1.0)  # assumed: else the events that came together would come together again, for ever
EVENT_AGE_MAX = timedelta(seconds=3000)  # template.yaml, MaximumEventAgeInSeconds


class LimitedFunctions(Functions):
    """One Region's function in an account that runs nothing else."""

    def __init__(
        self,
        region: str,
        scheduler: Scheduler,
        random: Random,
        build: Callable[[], Responder],
        numbers: Iterator[int],
        *,
        concurrency: int,
    ) -> None:
        super().__init__(region, scheduler, random, Weather(), build, lambda *_: None, numbers)
        self.on_end: Callable[[Invocation], None] = lambda _: None
        self.lambda_seconds = 0.0
        self.busy_most = 0
        self.cold_starts = 0
        self.put_back = 0  # how often an event found no room
        self.dropped = 0
        self._concurrency = concurrency
        self._busy = 0
        self._made_at: deque[datetime] = deque()  # environments, of the last ten seconds

    def _start(self, event: Mapping[str, Any], hop: int, sent_at: datetime, retries: int) -> None:
        self._admit(event, hop, sent_at, retries, QUEUE_FIRST_SECONDS)

    def _admit(self, event: Mapping[str, Any], hop: int, sent_at: datetime, retries: int, step_seconds: float) -> None:
        scheduler = self._scheduler
        if scheduler.now() - sent_at > EVENT_AGE_MAX:
            self.dropped += 1
            return
        if not self._has_room():
            self.put_back += 1
            longer = min(step_seconds * 2, QUEUE_MAX_SECONDS)
            wait_seconds = step_seconds * self._random.uniform(*QUEUE_SPREAD)
            scheduler.after(wait_seconds, lambda: self._admit(event, hop, sent_at, retries, longer))
            return
        self._busy += 1
        self.busy_most = max(self.busy_most, self._busy)
        start = super()._start
        if self._idle:
            start(event, hop, sent_at, retries)
            return
        self.cold_starts += 1
        self._made_at.append(scheduler.now())
        scheduler.after(self._random.uniform(*COLD_START_SECONDS), lambda: start(event, hop, sent_at, retries))

    def _has_room(self) -> bool:
        if self._busy >= self._concurrency:
            return False
        while self._made_at and self._scheduler.now() - self._made_at[0] >= RAMP:
            self._made_at.popleft()
        return bool(self._idle) or len(self._made_at) < NEW_ENVIRONMENTS_MAX

    def _after(self, task: Task, invocation: Invocation, responder: Responder, sent_at: datetime, retries: int) -> None:
        super()._after(task, invocation, responder, sent_at, retries)
        self.on_end(invocation)
        self._busy -= 1
        self.lambda_seconds += (self._scheduler.now() - invocation.started_at).total_seconds()
