"""Reads published test vectors: blocks of `name = hex` lines, as NIST's CAVP writes them; `#` begins a comment."""

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "unit" / "vectors"


def vectors(file_name: str) -> Iterator[dict[str, bytes | None]]:
    """Yields each block: name -> bytes; a line that is only a name (FAIL) -> None."""
    for block in (FOLDER / file_name).read_text("ascii").split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            yield dict(_field(line) for line in lines)


def _field(line: str) -> tuple[str, bytes | None]:
    name, equals, digits = line.partition(" =")
    return name, bytes.fromhex(digits) if equals else None
