"""Where the local AWS finds its tools and keeps its files. No other module knows a path.

The Makefile makes the two environments from pinned requirements; the two variables below can name others.
"""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MINISTACK_VENV = Path(os.environ.get("LOCAL_AWS_MINISTACK_VENV", REPOSITORY / ".venv-local"))
SAM_VENV = Path(os.environ.get("LOCAL_AWS_SAM_VENV", REPOSITORY / ".venv-sam"))
BUILT = REPOSITORY / ".aws-sam" / "build"  # what `sam build` writes
TEMPORARY_PREFIX = "imported-key-material-"


def ministack_python() -> Path:
    """The interpreter of the environment with MiniStack and AWS's runtime client."""
    return _required(MINISTACK_VENV / "bin" / "python", "make .venv-local")


def sam() -> Path:
    return _required(SAM_VENV / "bin" / "sam", "make .venv-sam")


def base_python() -> Path:
    """The base Python 3.13 of this environment: it has no packages, and is no pyenv shim (SAM refuses those)."""
    base = Path(sys.base_prefix) / "bin" / "python3.13"
    return _required(base, "install Python 3.13")


def runtime_client_packages() -> Path:
    """The folder that holds awslambdaric, AWS's own runtime client."""
    return _required(MINISTACK_VENV / "lib" / "python3.13" / "site-packages", "make .venv-local")


def _required(path: Path, remedy: str) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: {remedy}")
    return path


def function_logs(folder: Path, region: str, function: str) -> Path:
    """The log folder of a function's processes, in a local AWS's folder. Lambda would send these logs to CloudWatch Logs."""
    return folder / "logs" / region / function


def temporary_folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{name}-"))


def remove_tree(folder: Path) -> None:
    """Removes a folder, also its read-only parts. A folder that is gone is no error."""

    def writable_then_again(again: Callable[[str], object], path: str, error: BaseException) -> None:
        if isinstance(error, FileNotFoundError):
            return
        parent = Path(path).parent
        parent.chmod(parent.stat().st_mode | stat.S_IRWXU)
        if Path(path).is_dir():
            Path(path).chmod(stat.S_IRWXU)
        again(path)

    shutil.rmtree(folder, onexc=writable_then_again)


def make_read_only(folder: Path) -> None:
    """Makes everything under it read-only, as Lambda mounts code and layers."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_symlink():
            continue
        path.chmod(0o555 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o444)
