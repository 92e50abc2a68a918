"""The `openssl` binary as the far side of tests: another implementation, as users have it."""

import subprocess
from pathlib import Path


def openssl(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
    """Returns what it writes to stdout; a failure shows what it wrote to stderr."""
    command = ["openssl", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, check=False, timeout=60)  # noqa: S603  # ours
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout
