"""Plays histories on all cores, repeats one, or plays the full table.

    python -m lab.simulation --seeds 2000 --first 0     as `make simulate SEEDS=2000 FIRST=0`
    python -m lab.simulation --seed 7                   as `make simulate SEED=7`: prints every event
    python -m lab.simulation table                      as `make table`

stdout: the verdict; with --seed, the events, too. stderr: progress. The last line is `N histories, M requests, K faults, 0
violations`, or the end of the first failing seed's shortest story. Exit codes: 0 nothing is broken; 1 an invariant is broken;
2 the command is wrong; 3 two runs of one seed differ; 4 the simulation itself failed.
"""

import argparse
import os
import sys
import traceback

from lab.simulation import many, story, table
from lab.simulation.drawing import draw
from lab.simulation.history import Result, play

BROKEN, DIFFERENT, FAILED = 1, 3, 4


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        if options.what == "table":
            return table.main(options.processes, options.without_share)
        return (
            _one(options.seed) if options.seed is not None else _many(options.first, options.seeds, options.processes)
        )
    except Exception:  # noqa: BLE001  # report a defect of the simulation as one, not as a broken invariant
        traceback.print_exc()
        return FAILED


def _options(arguments: list[str] | None) -> argparse.Namespace:
    def number(text: str) -> int:
        return int(text, 0)

    parser = argparse.ArgumentParser(prog="python -m lab.simulation", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=("histories", "table"), default="histories")
    parser.add_argument("--seeds", type=number, default=2000, help="how many histories (default: 2000)")
    parser.add_argument("--first", type=number, default=0, help="the first seed (default: 0)")
    parser.add_argument("--seed", type=number, help="repeat this seed, and print every event")
    parser.add_argument("--without-share", type=number, help="of the table: leave out what `make test` plays of it")
    parser.add_argument("--processes", type=number, default=os.cpu_count() or 1, help="default: one for each core")
    return parser.parse_args(arguments)


def _one(seed: int) -> int:
    plan = draw(seed)
    result = play(plan, every_call=True)
    for line in (
        story.faults(plan),
        *(f"  plan: {step.at:7.1f}s {step}" for step in plan.steps),
        *story.events(result),
    ):
        print(line)  # noqa: T201  # a program's output
    if play(plan, every_call=True).digest != result.digest:
        print(f"seed {seed}: two runs differ")  # noqa: T201  # a program's output
        return DIFFERENT
    if result.violation is not None:
        return _broken(result)
    print(many.Sum(1, result.requests, result.faults))  # noqa: T201  # a program's output
    return 0


def _many(first: int, seeds: int, processes: int) -> int:
    verdicts = many.on_all_cores(many.verdict, range(first, first + seeds), seeds, processes, "histories")
    total = many.sum_of(verdicts)
    if total.bad is None:
        print(total)  # noqa: T201  # a program's output
        return 0
    if total.bad.differs:
        print(f"seed {total.bad.seed}: two runs differ\nrepeat: make simulate SEED={total.bad.seed}")  # noqa: T201  # a program's output
        return DIFFERENT
    return _broken(play(draw(total.bad.seed)))


def _broken(result: Result) -> int:
    for line in story.shortest_story(result):
        print(line)  # noqa: T201  # a program's output
    return BROKEN


if __name__ == "__main__":
    sys.exit(main())
