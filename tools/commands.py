"""Writes the help of each command of `custodian` into docs/key-custodian.md, where it stands between its marks.

    python -m tools.commands            writes the page
    python -m tools.commands --check    writes nothing; exit code 1 if the page is not what it would write

The marks are comments: `<!-- help: check -->` before, `<!-- end -->` behind. What stands around them is written by hand.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Final

import click

from custodian.cli import cli

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "key-custodian.md"
WIDTH: Final = 78  # of a terminal with 80 columns
_MARKED: Final = re.compile(r"(<!-- help: (?P<name>[a-z]*) ?-->\n)(.*?)(<!-- end -->)", re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.commands", description="Writes docs/key-custodian.md anew.")
    parser.add_argument("--check", action="store_true", help="only tell whether the page is current")
    options = parser.parse_args(arguments)
    now = PAGE.read_text()
    wanted = _MARKED.sub(lambda mark: f"{mark[1]}{_block(mark['name'])}{mark[4]}", now)
    if now == wanted:
        return 0
    if options.check:
        sys.stderr.write(f"docs/{PAGE.name} is not what `custodian --help` says: run `make reference`.\n")
        return 1
    PAGE.write_text(wanted)
    print(f"docs/{PAGE.name}: written anew")
    return 0


def help_of(name: str) -> str:
    """What `custodian NAME --help` prints; of the program itself for ""."""
    program = _context(cli, "custodian")
    command = cli.get_command(program, name) if name else cli
    if command is None:
        raise SystemExit(f"docs/{PAGE.name} names a command that custodian does not have: {name}")
    context = _context(command, name, parent=program) if name else program
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    return command.make_context(name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH)


def _block(name: str) -> str:
    return f"\n```text\n{help_of(name)}\n```\n\n"


if __name__ == "__main__":
    sys.exit(main())
