"""The list of all that a run makes: each thing is noted before it is made, and deleted by this list.

One JSON object a line. A run that was killed between the note and the call left a note of something that may not exist, or
whose id nobody wrote down: cleaning looks for it by its name, in the account and Region of the note.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "ikm-live-"
FILE_NAME: Final = "made.jsonl"
KINDS: Final = ("stack", "application", "bucket", "secret", "key")


@dataclass(frozen=True, slots=True)
class Thing:
    """`kind`: one of KINDS. `name`: begins with PREFIX and the run. `region` and `account`: where it is.

    `profile`: of the credentials for that account; "": the credentials of the run itself.
    """

    kind: str
    name: str
    region: str
    account: str
    profile: str = ""


class RunList:
    """The list of one run, in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME
        folder.mkdir(parents=True, exist_ok=True)

    def note(self, thing: Thing) -> Thing:
        """Writes it down, on the disk, before the caller makes it."""
        if thing.kind not in KINDS or not thing.name.startswith(PREFIX):
            raise ValueError(f"{thing.kind} {thing.name} can't be noted")
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(thing)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return thing

    def things(self) -> Iterator[Thing]:
        """Each thing once, the newest first. A half-written last line is passed over: nothing was made for it."""
        seen: set[Thing] = set()
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        for line in reversed(lines):
            try:
                thing = Thing(**json.loads(line))
            except (ValueError, TypeError):
                continue
            if thing not in seen:
                seen.add(thing)
                yield thing
