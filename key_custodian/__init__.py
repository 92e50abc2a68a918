"""The custodian's tool: checks, makes, wraps and combines key material for `Custom::ImportedKeyMaterial`, and hands it over.

Built on the function's own pure modules: what this tool accepts is what the function accepts. `docs/key-custodian.md` is the
reference; `cli.py` says how the parts hang together.
"""

from typing import Final

DISTRIBUTION: Final = "imported-key-material"


def version() -> str:
    """Name and number, such as custodian 0.1.0, for --version and for receipts; or that it is not installed."""
    from importlib import metadata  # noqa: PLC0415  # slow to load, and seldom needed

    try:
        return f"key-custodian {metadata.version(DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return "key-custodian, not installed: run from its repository"
