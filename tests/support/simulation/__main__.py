"""Plays histories on all cores, repeats one, or goes through the full table.

    python -m tests.support.simulation --seeds 2000 --first 0     as `make simulate SEEDS=2000 FIRST=0`
    python -m tests.support.simulation --seed 7                   as `make simulate SEED=7`: every event told
    python -m tests.support.simulation table                      as `make table`

stdout: the verdict; with --seed, the events, too. stderr: progress. The last line is `N histories, M requests, K faults, 0
violations`, or the end of the first failing seed's shortest story. Exit codes: 0 nothing is broken; 1 an invariant is broken;
2 the command is wrong; 3 two runs of one seed differ; 4 the simulation itself failed.
"""

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Iterator

from tests.support.simulation import story, table
from tests.support.simulation.drawing import draw
from tests.support.simulation.history import Result, play, shortest

BROKEN, DIFFERENT, FAILED = 1, 3, 4
TWICE_EVERY = 50  # one seed in so many is played twice, and must end alike
_CHUNK = 20
_PROGRESS_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        if options.what == "table":
            return table.main(options.processes)
        return _one(options.seed) if options.seed is not None else _many(options.first, options.seeds, options.processes)
    except Exception:  # noqa: BLE001  # a defect of the simulation is told apart from a broken invariant
        traceback.print_exc()
        return FAILED


def _options(arguments: list[str] | None) -> argparse.Namespace:
    def number(text: str) -> int:
        return int(text, 0)

    parser = argparse.ArgumentParser(prog="python -m tests.support.simulation", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=("histories", "table"), default="histories")
    parser.add_argument("--seeds", type=number, default=2000, help="how many histories (default: 2000)")
    parser.add_argument("--first", type=number, default=0, help="the first seed (default: 0)")
    parser.add_argument("--seed", type=number, help="repeat this one, every event told")
    parser.add_argument("--processes", type=number, default=os.cpu_count() or 1, help="default: one for each core")
    return parser.parse_args(arguments)


def _one(seed: int) -> int:
    plan = draw(seed)
    result = play(plan, every_call=True)
    for line in (story.faults(plan), *(f"  plan: {step.at:7.1f}s {step}" for step in plan.steps), *story.events(result)):
        print(line)
    if play(plan, every_call=True).digest != result.digest:
        print(f"seed {seed}: two runs differ")
        return DIFFERENT
    if result.violation is None:
        print(_total(1, result.requests, result.faults))
        return 0
    _tell_shortest(result)
    return BROKEN


def _many(first: int, seeds: int, processes: int) -> int:
    requests = faults = done = 0
    started = told_at = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for seed, some_requests, some_faults, what in pool.imap_unordered(_played, range(first, first + seeds), _CHUNK):
            requests, faults, done = requests + some_requests, faults + some_faults, done + 1
            if what:
                pool.terminate()
                return _failed(seed, what)
            if time.monotonic() - told_at >= _PROGRESS_SECONDS:
                told_at = time.monotonic()
                rate = done / (told_at - started)
                print(f"{done} of {seeds} histories, {rate:.0f} a second", file=sys.stderr, flush=True)
    print(_total(seeds, requests, faults))
    return 0


def _failed(seed: int, what: str) -> int:
    if what == "differs":
        print(f"seed {seed}: two runs differ\nrepeat: make simulate SEED={seed}")
        return DIFFERENT
    _tell_shortest(play(draw(seed)))
    return BROKEN


def _played(seed: int) -> tuple[int, int, int, str]:
    """In a process of its own: seed, requests, faults, and what is wrong ("" for nothing)."""
    result = play(draw(seed))
    what = "broken" if result.violation is not None else ""
    if not what and seed % TWICE_EVERY == 0 and play(draw(seed)).digest != result.digest:
        what = "differs"
    return seed, result.requests, result.faults, what


def _tell_shortest(result: Result) -> None:
    for line in shortest_story(result):
        print(line)


def shortest_story(result: Result) -> Iterator[str]:
    short = shortest(result)
    yield from story.told(result, short, same_end=play(short.plan).digest == short.digest)


def _total(histories: int, requests: int, faults: int) -> str:
    return f"{histories} histories, {requests} requests, {faults} faults, 0 violations"


if __name__ == "__main__":
    sys.exit(main())
