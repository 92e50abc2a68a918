"""Which version of the tool this is: for --version, and for receipts."""

from typing import Final

DISTRIBUTION: Final = "imported-key-material"


def tool() -> str:
    """Name and number, such as custodian 0.1.0; or that it is not installed."""
    from importlib import metadata  # noqa: PLC0415  # slow to load, and seldom needed

    try:
        return f"custodian {metadata.version(DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return "custodian, not installed: run from its repository"
