"""Runs all hostile inputs, or the named ones, and prints what each took.

    python -m lab.hostile                 wide limits, as in `make test`
    python -m lab.hostile --exact         the limits that are claimed, as in `make bench`
    python -m lab.hostile --json          one JSON object a line
    python -m lab.hostile --planted       defects that must be found: prints WRONG for each, except the harmless one
    python -m lab.hostile DSA             inputs whose name contains DSA

Exit codes: 0 all ended as they must, 1 at least one did not, 2 the command is wrong.
"""

import argparse
import json
import sys
from dataclasses import asdict

from lab.hostile.planted import LIMITS as TIGHT
from lab.hostile.planted import PLANTED
from lab.hostile.running import EXACT, ROWS, WIDE, run


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.hostile", description="Runs hostile inputs.")
    parser.add_argument("names", nargs="*", help="parts of names")
    parser.add_argument("--exact", action="store_true", help="the limits that are claimed, not the wide ones")
    parser.add_argument("--planted", action="store_true", help="defects that must be found, under tight limits")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args(arguments)
    chosen = PLANTED if options.planted else ROWS
    rows = {row.name: row for row in chosen if not options.names or any(part in row.name for part in options.names)}
    if not rows:
        parser.error("there is no such row")
    limits, wrong = TIGHT if options.planted else EXACT if options.exact else WIDE, 0
    for taken in run(rows.values(), limits):
        problem = taken.problem(rows[taken.name], limits)
        wrong += bool(problem)
        if options.json:
            print(json.dumps(asdict(taken) | {"problem": problem}), flush=True)  # noqa: T201  # a program
        else:
            figures = f"{taken.seconds:6.3f} s {taken.megabytes:6.1f} MB {taken.log_characters:7,} characters"
            print(f"{figures}  {taken.name}{f'  WRONG: {problem}' if problem else ''}", flush=True)  # noqa: T201  # a program
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
