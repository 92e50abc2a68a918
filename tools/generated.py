"""The common part of programs that write a whole page: `--check`, and the message for a page that is not current."""

import argparse
import sys
from pathlib import Path


def write_or_check(
    arguments: list[str], *, program: str, page: Path, text: str, source: str, folder: str = "docs"
) -> int:
    """Writes `text` as the page, or with `--check` only compares; the exit code, 1 if the page is not current.

    `program`: its name in `tools`; `source`: where the page's text comes from; `folder`: the page's.
    """
    name = f"{folder}/{page.name}".removeprefix("/")
    parser = argparse.ArgumentParser(prog=f"python -m tools.{program}", description=f"Writes {name}.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the page is not current")
    if not parser.parse_args(arguments).check:
        page.write_text(text, "utf-8")
    elif not page.exists() or page.read_text("utf-8") != text:
        print(f"{name} is not what {source} says: run `make reference`.", file=sys.stderr)
        return 1
    return 0
