"""The custodian's tool: checks, makes, wraps, combines and stores key material for `Custom::ImportedKeyMaterial`.

It uses the function's own pure modules, so it accepts exactly what the function accepts. `docs/key-custodian.md` is the
reference; `cli.py` lists the modules.
"""

from typing import Final

DISTRIBUTION: Final = "key-custodian"


def version() -> str:
    """The tool's name and version, such as key-custodian 0.2.0, for --version and receipts; or that it is not installed."""
    from importlib import metadata  # noqa: PLC0415  # slow to load, and rarely needed

    try:
        return f"key-custodian {metadata.version(DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return "key-custodian, not installed: run from its repository"
