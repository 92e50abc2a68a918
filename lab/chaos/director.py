"""Watches every invocation of the function, gives each its fate, kills and counts.

It finds the invocation of an AWS call by the credentials, since every process has its own. It finds the invocation of a PUT by
the request's id in the address; of two invocations of one request, the younger one counts as the sender.
"""

import collections
import contextlib
import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.chaos.fates import CHANGES, End, Fate, Fates, Strike
from lab.chaos.line import Passing
from lab.local.deploy import FUNCTION
from lab.local.observer import Invocation
from lab.local.runtime import Outcome
from lab.wire.faults import Moment

ON_FAILURE = f"{FUNCTION}-on-failure"
QUIET_SECONDS = 4.0  # longer than Lambda's wait before a retry here
PATIENCE_SECONDS = 300.0
LOOK_SECONDS = 0.5
TRIES = {FUNCTION: 2, ON_FAILURE: 3}  # as in the template: one retry, and two retries


class StillRunning(Exception):
    """Some invocations do not end."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One PUT that arrived. `confirmed`: its sender knows that; else the sender must send again."""

    digest: str
    confirmed: bool


@dataclass(slots=True, eq=False)
class Watched:
    """One invocation: its name, its calls and its fate, and the answers that it sent."""

    name: str
    invocation: Invocation
    fate: Fate
    request_id: str
    calls: int = 0
    changes: int = 0
    over: bool = False
    killed: str = ""
    arrivals: list[Arrival] = field(default_factory=list)


class Director:
    """`calm`: once it is set, nothing is broken any more."""

    def __init__(self, fates: Fates) -> None:
        self.calm = False
        self.faults: collections.Counter[str] = collections.Counter()
        self.kills: collections.Counter[str] = collections.Counter()
        self.watched: list[Watched] = []
        self._fates = fates
        self._lock = threading.Lock()
        self._running: dict[str, Watched] = {}  # by access key
        self._requests: dict[str, list[str]] = {}  # by stack name: ids of its requests, in their order
        self._tries: collections.Counter[tuple[str, str]] = collections.Counter()
        self._line = ""

    def lead_over(self, line_url: str) -> None:
        """Processes that start from now on make their calls over this line."""
        self._line = line_url

    # ------------------------------------------------------------------------------------------- what Functions calls

    def variables(self, given: dict[str, str]) -> dict[str, str]:
        return given | {"AWS_ENDPOINT_URL": self._line}

    def began(self, invocation: Invocation) -> None:
        event = json.loads(invocation.event)
        request = event.get("requestPayload", event)
        request_id = request["RequestId"]
        stack = request["StackId"].split("/")[1]
        with self._lock:
            known = self._requests.setdefault(stack, [])
            if request_id not in known:
                known.append(request_id)
            self._tries[invocation.function, request_id] += 1
            number = self._tries[invocation.function, request_id]
            second = " on-failure" if invocation.function == ON_FAILURE else ""
            name = f"{stack} request {known.index(request_id) + 1} {request['RequestType']}{second} try {number}"
            fate = Fate(End.LIVES) if self.calm else self._fates.of(name, _kind(invocation.function, number))
            watched = Watched(name, invocation, fate, request_id)
            self._running[invocation.environment.given["AWS_ACCESS_KEY_ID"]] = watched
            self.watched.append(watched)
        if fate.end is End.KILLED:
            timer = threading.Timer(fate.seconds, self._kill, (watched, "at a moment"))
            timer.daemon = True
            timer.start()

    def ended(self, invocation: Invocation, outcome: Outcome) -> None:
        with self._lock:
            watched = self._running.pop(invocation.environment.given["AWS_ACCESS_KEY_ID"])
            watched.over = True
            if outcome.failed and not watched.killed:
                error = str(json.loads(outcome.payload).get("errorType", "an error"))
                watched.killed = error
                if error.startswith(("Runtime.", "Sandbox.")):
                    self.kills[error] += 1

    # ------------------------------------------------------------------------------------------ what the line calls

    def strikes(self, passing: Passing) -> Mapping[Moment, Strike]:
        with self._lock:
            watched = self._who(passing)
            if watched is None or self.calm:
                return {}
            watched.calls += 1
            watched.changes += passing.operation in CHANGES
            deadly = self._fates.deadly(watched.fate, watched.calls, watched.changes, passing.operation)
            if deadly is not None:
                return {deadly.moment: deadly}
            strike = self._fates.strike(watched.name, watched.calls, passing.service)
            if strike is None:
                return {}
            self.faults[f"{passing.service} {strike.harm.value}"] += 1
            return {strike.moment: strike}

    def kill(self, passing: Passing) -> None:
        with self._lock:
            watched = self._who(passing)
        if watched is not None:
            self._kill(watched, f"at call {watched.calls}, {passing.operation}, {watched.fate.moment.value}")

    def answered(self, passing: Passing, body: bytes, *, confirmed: bool) -> None:
        with self._lock:
            watched = self._who(passing)
            if watched is not None:
                watched.arrivals.append(Arrival(hashlib.sha256(body).hexdigest(), confirmed))

    def _who(self, passing: Passing) -> Watched | None:
        if passing.service != "answer":
            return self._running.get(passing.access_key)
        senders = [one for one in self._running.values() if one.request_id == passing.request_id]
        return senders[-1] if senders else None

    def _kill(self, watched: Watched, when: str) -> None:
        with self._lock:
            if watched.over or watched.killed or self.calm:
                return
            watched.killed = f"killed {when}"
            self.kills["SIGKILL"] += 1
            with contextlib.suppress(ProcessLookupError):
                os.kill(watched.invocation.environment.pid, signal.SIGKILL)

    # ------------------------------------------------------------------------------------------------- what came of it

    def wait_until_quiet(self) -> None:
        """Waits until nothing runs and no retry is left. Late tries go on after their stack has ended, and must notice that."""
        begun, quiet_since = time.monotonic(), time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            time.sleep(LOOK_SECONDS)
            with self._lock:
                if self._running:
                    quiet_since = time.monotonic()
            if time.monotonic() - begun > PATIENCE_SECONDS:
                raise StillRunning([one.name for one in self._running.values()])

    def tale(self, stack: str) -> list[str]:
        """What happened to a stack's invocations, in order."""
        return [
            f"{one.name}: {one.killed or 'ended'}, {one.calls} calls, {len(one.arrivals)} answers, "
            f"log {one.invocation.environment.log_name}"
            for one in self.watched
            if one.name.startswith(f"{stack} ")
        ]

    def tried_again(self, stack: str) -> bool:
        """Whether a Create or an Update of the stack was tried again."""
        return any(
            one.name.startswith(f"{stack} ") and " Delete " not in one.name and not one.name.endswith("try 1")
            for one in self.watched
        )

    def answered_twice(self) -> list[str]:
        """Invocations that answered again although they knew that an answer had arrived, or that sent different answers."""
        return [
            one.name
            for one in self.watched
            if any(arrival.confirmed for arrival in one.arrivals[:-1])
            or len({arrival.digest for arrival in one.arrivals}) > 1
        ]


def _kind(function: str, number: int) -> str:
    """The row of `fates.ENDS`. Lambda's last try of the on-failure function is not killed: nobody would answer after it."""
    if function == ON_FAILURE:
        return "on-failure, first try" if number < TRIES[ON_FAILURE] else "last try"
    return "first try" if number < TRIES[FUNCTION] else "second try"
