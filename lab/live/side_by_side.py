"""Experiments that wait for AWS most of the time run side by side, each in a thread.

If the run is stopped, or the act ends for another reason, the experiments end at their next wait, before anything is cleaned.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from queue import SimpleQueue
from typing import Any

from lab.live.account import Account
from lab.live.stage import Stage, TimeIsUp
from lab.live.verdicts import Finding

type Experiment = Callable[[Stage], Iterator[Finding]]


def play(stage: Stage, experiments: Sequence[Experiment]) -> Iterator[Finding]:
    """Findings, as they come. At the end it raises what an experiment raised; the others were not disturbed."""
    stage.application  # noqa: B018  # deployed before the threads begin: they would all deploy it
    stop = threading.Event()
    told: SimpleQueue[Finding | None] = SimpleQueue()
    raised: list[Exception] = []
    stoppable = replace(stage, made=replace(stage.made, account=_Stoppable(stage.account, stop)))

    def run(experiment: Experiment) -> None:
        try:
            for finding in experiment(stoppable):
                told.put(finding)
        except Exception as error:  # noqa: BLE001  # raised below, in the act's own thread
            raised.append(error)
        finally:
            told.put(None)

    threads = [threading.Thread(target=run, args=(one,), daemon=True) for one in experiments]
    for thread in threads:
        thread.start()
    try:
        ended = 0
        while ended < len(threads):
            finding = told.get()
            if finding is None:
                ended += 1
            else:
                yield finding
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if raised:
        raise raised[0]


@dataclass(frozen=True, slots=True)
class _Stoppable:
    """The account, whose sleep ends when the act does. Fits `lab.live.account.Account`."""

    account: Account
    stop: threading.Event

    @property
    def number(self) -> str:
        return self.account.number

    @property
    def region(self) -> str:
        return self.account.region

    @property
    def partition(self) -> str:
        return self.account.partition

    @property
    def is_local(self) -> bool:
        return self.account.is_local

    @property
    def profile(self) -> str:
        return self.account.profile

    @property
    def application_parameters(self) -> Mapping[str, str]:
        return self.account.application_parameters

    def environment(self) -> Mapping[str, str]:
        return self.account.environment()

    def bucket_url(self, bucket: str) -> str:
        return self.account.bucket_url(bucket)

    def client(self, service: str, region: str | None = None) -> Any:
        return self.account.client(service, region)

    def now(self) -> datetime:
        return self.account.now()

    def sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise TimeIsUp("the act was stopped")
