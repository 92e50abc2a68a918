"""Exit codes, and the lines that show an error. The tree of errors is the function's own."""

from typing import Final

from imported_key_material.errors import Fault, ImportedKeyMaterialError, Refused

REFUSED: Final = 1
NOT_PROVED: Final = 3  # 2 is click's code for a wrong call


def refused(where: str, problem: str, remedy: str = "") -> Refused:
    """A refusal with one fault. `where`: the option, file or key with the fault."""
    return Refused(Fault(where, problem, remedy))


def lines_of(error: ImportedKeyMaterialError) -> list[str]:
    """One line for each fault."""
    if not isinstance(error, Refused):
        return [str(error)]
    lines = [str(fault) for fault in error.faults]
    if len(lines) > 1:
        lines.insert(0, f"{len(lines)} things are wrong.")
    return lines
