"""Exit codes, and an error as the lines that its reader sees. The tree of errors is the function's own."""

from typing import Final

from imported_key_material.errors import Fault, ImportedKeyMaterialError, Refused

REFUSED: Final = 1
NOT_PROVED: Final = 3  # 2 is a wrong call, click's


def refused(where: str, problem: str, remedy: str = "") -> Refused:
    """One fault. `where`: the option, file or key that it is about."""
    return Refused(Fault(where, problem, remedy))


def lines_of(error: ImportedKeyMaterialError) -> list[str]:
    """Each fault on a line of its own."""
    if not isinstance(error, Refused):
        return [str(error)]
    lines = [str(fault) for fault in error.faults]
    if len(lines) > 1:
        lines.insert(0, f"{len(lines)} things are wrong.")
    return lines
