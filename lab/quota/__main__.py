"""A crowd of resources against KMS's quota, with the real function code under virtual time.

    python -m lab.quota --resources 500 --rate 0.25       as `make quota N=500 RATE=0.25`
    python -m lab.quota ... --compare docs/internals      as `make quota ... COMPARE=1`: writes scale.md's figures

Beside the crowd it plays as many updates that import nothing, and half as many Deletes of a clean-up. These wait only for
CloudFormation's reads.

stdout: the figures; the same seed prints the same in every process. stderr: how long it took. The last line is `N/N done, 0
failed, X x floor`; with --compare it is for the function's own way. Exit codes: 0 all are done, 1 some are not, 2 the command
is wrong.
"""

import argparse
import sys
import time
from pathlib import Path

from lab.quota import comparison, page, standing
from lab.quota.crowd import CONCURRENCY, Crowd
from lab.quota.outcome import report_lines
from lab.quota.world import play


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        crowd = Crowd(
            options.resources,
            options.rate,
            options.seed,
            stacks=options.stacks,
            lanes=options.lanes,
            concurrency=options.concurrency,
        )
    except ValueError as wrong:
        parser.error(str(wrong))
    if options.compare is None:
        outcome = play(crowd)
        standing_outcomes = tuple(standing.play(*each) for each in standing.plays(crowd))
    else:
        compared = comparison.compare(crowd)
        outcome, standing_outcomes = compared.own, compared.standing
        page.write(options.compare, compared)
        print(page.table_of_ways(compared), page.table_of_growth(compared.growth), sep="\n\n", end="\n\n")  # noqa: T201  # a program's output
    for line in (*map(standing.report_line, standing_outcomes), *report_lines(outcome)):
        print(line)  # noqa: T201  # a program's output
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)  # noqa: T201  # the same
    return 1 if outcome.failed or any(one.failed for one in standing_outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.quota", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--resources", type=int, default=500, help="how many resources (default: 500)")
    parser.add_argument("--rate", type=float, default=0.25, help="GetParametersForImport a second (default: 0.25)")
    parser.add_argument("--seed", type=int, default=1, help="decides everything (default: 1)")
    parser.add_argument("--stacks", type=int, default=1, help="how many stacks share the resources (default: 1)")
    parser.add_argument("--lanes", type=int, default=0, help="chains of DependsOn in each stack (default: none)")
    parser.add_argument(
        "--concurrency", type=int, default=CONCURRENCY, help=f"invocations at once, at most (default: {CONCURRENCY})"
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FOLDER",
        help="compare with usual ways and larger crowds; write into FOLDER's scale.md",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
