"""Records requests and answers between CloudFormation and functions, for tests and the demo: one JSON object a line.

MiniStack's process writes it, any other process reads it. It never contains a ResponseURL: a test looks for leaked ones in all
files.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FILE_NAME = "journal.jsonl"


class Journal:
    """Appends whole lines, since several processes may write at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, kind: str, entry: Mapping[str, Any]) -> None:
        line = json.dumps({"kind": kind, "time": time.time(), **entry}) + "\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)


def read(folder: Path, kind: str | None = None) -> Iterator[dict[str, Any]]:
    """The entries so far, oldest first: `request` (what CloudFormation sent) and `answer` (what a function PUT)."""
    path = folder / FILE_NAME
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if kind in (None, entry["kind"]):
            yield entry
