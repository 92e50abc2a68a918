"""Builds the layer of dependencies: pinned, checked by hash, pruned, with bytecode, and reproducible byte for byte.

    build_layer.py build {x86_64,arm64} FOLDER    fills FOLDER (the layer's `python` folder), which must not exist or be empty
    build_layer.py download FOLDER                fetches the wheels of both architectures, to build from later, offline

With the environment variable LAYER_WHEELS naming a folder of downloaded wheels, `build` uses no network. Either way pip
checks every wheel's hash against requirements.txt.

Rules: nothing is compiled on the building machine, so any machine builds for both architectures; the function loads nothing
that the tables below drop (tests/unit/test_layer.py runs it without); every package keeps its license. It needs only CPython
3.13 with pip.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

PYTHON = (3, 13)  # of the function's runtime: bytecode works only with one version
REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"

# Lambda's python3.13 runs on Amazon Linux 2023, whose glibc is 2.34.
PLATFORMS = {
    "x86_64": ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"),
    "arm64": ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"),
}

# Each pattern must match something, or it is out of date.
DROPPED = (
    ("bin", "command line programs"),
    ("**/*.pyi", "types"),
    ("**/py.typed", "types"),
    ("*.dist-info/INSTALLER", "pip's own record"),
    ("*.dist-info/RECORD", "pip's own record, wrong once anything is dropped"),
    ("*.dist-info/REQUESTED", "pip's own record"),
    ("*.dist-info/WHEEL", "pip's own record"),
    ("*.dist-info/entry_points.txt", "command line programs"),
    ("*.dist-info/top_level.txt", "setuptools' own record"),
    ("aws_lambda_powertools/event_handler", "HTTP APIs"),
    ("boto3/data", "boto3's resources; the function uses clients"),
    ("boto3/examples", "documentation"),
    ("botocore/data/**/examples-1.json", "documentation"),
    ("cffi", "builds extensions; cryptography loads only _cffi_backend"),
    ("dateutil/zoneinfo/*.tar.gz", "a copy of the time zone database"),
    ("pycparser*", "parses C for cffi"),
)
KEPT = (
    ("botocore/data", ("cloudformation", "kms", "lambda", "secretsmanager", "sns", "sts")),
    ("botocore/data/lambda", ("2015-03-31",)),
    ("aws_lambda_powertools/utilities", ("jmespath_utils", "typing")),
)

WHERE_LAMBDA_MOUNTS_IT = "/opt/python"
FIXED_TIME = 946_684_800  # 2000-01-01T00:00:00Z: a zip has no time before 1980 in any time zone
FOLDER_MODE, FILE_MODE = 0o755, 0o644


def build(architecture: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SystemExit(f"{folder}: is not empty. Remove it first: files of another build would stay in the layer.")
    wheels = os.environ.get("LAYER_WHEELS", "")
    source = ["--no-index", "--find-links", wheels] if wheels else []
    _pip("install", architecture, "--no-compile", "--target", str(folder), *source)
    prune(folder)
    compile_ahead(folder, WHERE_LAMBDA_MOUNTS_IT)
    settle(folder)
    _say(f"layer for {architecture}: {sum(1 for _ in folder.glob('*.dist-info'))} packages, every hash checked")


def download(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for architecture in PLATFORMS:
        _pip("download", architecture, "--dest", str(folder))
        _say(f"wheels for {architecture}: in {folder.name}/, every hash checked")


def _pip(command: str, architecture: str, *more: str) -> None:
    platforms = [f"--platform={platform}" for platform in PLATFORMS[architecture]]
    version = ".".join(map(str, PYTHON))
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", command, "--quiet", "--no-input", "--disable-pip-version-check"),
            *("--require-hashes", "--only-binary=:all:", "--no-deps", "--requirement", str(REQUIREMENTS)),
            *("--implementation=cp", f"--python-version={version}", *platforms, *more),
        ],
        check=True,
    )


def prune(folder: Path) -> None:
    """Drops what the tables name, which the function does not load. Everything else stays."""
    for pattern, why in DROPPED:
        _remove(folder.glob(pattern), f"{pattern} ({why})")
    for parent, kept in KEPT:
        here = sorted(path for path in (folder / parent).iterdir() if path.is_dir())
        missing = set(kept) - {path.name for path in here}
        if missing:
            raise SystemExit(f"KEPT: {parent} has no {', '.join(sorted(missing))}. Correct the table for this version.")
        _remove((path for path in here if path.name not in kept), f"{parent} (all but {', '.join(kept)})")
    for package in folder.glob("*.dist-info"):
        if not [path for path in package.rglob("*") if re.match(r"(?i)licen[sc]e|copying", path.name)]:
            raise SystemExit(f"{package.name}: no license was found. Every package must keep its license.")


def _remove(paths: Iterable[Path], what: str) -> None:
    found = list(paths)
    if not found:
        raise SystemExit(f"{what}: nothing matches. Correct the table for the packages' new versions.")
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def compile_ahead(folder: Path, runs_in: str) -> None:
    """Adds bytecode that Python never compares with its source, since the layer does not change.

    Without bytecode every cold start would compile everything again, since Lambda's file system is read-only. One process
    with a fixed hash seed makes it, because the bytes depend on what the process has loaded before.
    """
    subprocess.run(
        [
            *(sys.executable, "-P", "-m", "compileall", "-q", "-j1", "--invalidation-mode=unchecked-hash"),
            *("-s", str(folder), "-p", runs_in, str(folder)),
        ],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def settle(folder: Path) -> None:
    """Sets the same times and modes everywhere: a zip contains them, and they would differ between builds."""
    for path in _bottom_up(folder):
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
        os.utime(path, (FIXED_TIME, FIXED_TIME))


def _bottom_up(folder: Path) -> Iterator[Path]:
    for root, _, files in folder.walk(top_down=False):
        yield from (root / name for name in files)
        yield root


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    if sys.version_info[:2] != PYTHON or sys.implementation.name != "cpython":
        raise SystemExit(f"{sys.executable}: is {sys.version.split()[0]}, and bytecode for Lambda needs CPython 3.13.")
    parser = argparse.ArgumentParser(description="Builds the layer of dependencies.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="fill a folder with the layer for one architecture")
    building.add_argument("architecture", choices=PLATFORMS)
    building.add_argument("folder", type=Path)
    downloading = commands.add_parser("download", help="fetch the wheels of both architectures")
    downloading.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "build":
        build(arguments.architecture, arguments.folder)
    else:
        download(arguments.folder)


if __name__ == "__main__":
    main()
