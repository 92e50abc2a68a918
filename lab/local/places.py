"""Where the local AWS finds its tools and keeps its files. No other module knows a path.

The two environments are made by the Makefile from pinned requirements; each of the two variables below names another one.
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
TEMPORARY_PREFIX = "imported-key-material-"


def ministack_python() -> Path:
    """The interpreter that has MiniStack, and AWS's runtime client."""
    return _required(MINISTACK_VENV / "bin" / "python", "make .venv-local")


def sam() -> Path:
    return _required(SAM_VENV / "bin" / "sam", "make .venv-sam")


def base_python() -> Path:
    """The Python 3.13 under this one: no environment's packages, no pyenv shim (SAM refuses those)."""
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
    """Where the processes of a function write, in a local AWS's folder: what Lambda would send to CloudWatch Logs."""
    return folder / "logs" / region / function


def temporary_folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{name}-"))


def remove_tree(folder: Path) -> None:
    """Removes a folder, read-only parts and all. A folder that is gone is no error."""

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
    """As Lambda mounts code and layers: nothing under it can be written."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_symlink():
            continue
        path.chmod(0o555 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o444)
