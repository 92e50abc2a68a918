"""The `openssl` program, for tests: another implementation, which users have, too."""

import subprocess
from pathlib import Path


def openssl(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
    """Returns its stdout. A failure shows its stderr."""
    command = ["openssl", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, check=False, timeout=60)  # noqa: S603  # ours
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout
