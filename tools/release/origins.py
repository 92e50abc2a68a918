"""Where each file of the functions' and layers' zips comes from: from a wheel, byte for byte, or from the commit.

A wheel lists its files with their hashes (RECORD). Bytecode is what this Python makes of the source beside it: Lambda runs it
without a look at the source. A file from anywhere else stops the release: the SBOM would not know it.
"""

import base64
import csv
import functools
import hashlib
import io
import platform
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import Final

from layers.dependencies.build_layer import compile_ahead

LAYER_FOLDER: Final = "python/"
PLATFORMS: Final = {"DependenciesX8664": "x86_64", "DependenciesArm64": "aarch64"}  # in the wheels' names
FROM_THE_COMMIT: Final = "handler"
LAYERS_LIE_IN, FUNCTIONS_LIE_IN = "/opt", "/var/task"  # on Lambda


class UnknownOriginError(Exception):
    """A file that comes neither from a wheel nor from the commit. The text names it."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that was downloaded for the layers. `record`: sha256 in hex, by file."""

    file: str
    sha256: str
    metadata: Message
    record: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "Wheel":
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (dist_info,) = {
                name.split("/")[0] for name in archive.namelist() if name.split("/")[0].endswith(".dist-info")
            }
            rows = csv.reader(archive.read(f"{dist_info}/RECORD").decode().splitlines())
            metadata = HeaderParser().parsestr(archive.read(f"{dist_info}/METADATA").decode())
        record = {name: _hex(value) for name, value, _ in rows if value}
        return cls(path.name, hashlib.sha256(content).hexdigest(), metadata, record)

    @property
    def is_for_all_platforms(self) -> bool:
        return self.file.endswith("-any.whl")


def _hex(recorded: str) -> str:
    """A RECORD's hash is sha256= and base64 for URLs, without padding."""
    encoded = recorded.removeprefix("sha256=")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).hex()


def wheels_in(folder: Path) -> list[Wheel]:
    return [Wheel.read(path) for path in sorted(folder.glob("*.whl"))]


def wheels_of(layer: str, zipped: bytes, downloaded: Iterable[Wheel]) -> list[Wheel]:
    """The wheels that a layer's files come from. `layer`: its logical id. Raises UnknownOriginError."""
    files = {name.removeprefix(LAYER_FOLDER): digest for name, digest in _files(zipped).items()}
    fitting = [wheel for wheel in downloaded if wheel.is_for_all_platforms or PLATFORMS[layer] in wheel.file]
    origin = {pair: wheel for wheel in fitting for pair in wheel.record.items()}
    _refuse_unknown(layer, (name for name, digest in files.items() if (name, digest) not in origin))
    _check_bytecode(layer, zipped, LAYERS_LIE_IN)
    used = {origin[pair].file for pair in files.items()}
    return [wheel for wheel in fitting if wheel.file in used]


def check_function(function: str, zipped: bytes, exported: Path) -> None:
    """All files are the commit's. `exported`: its files. Raises UnknownOriginError."""
    committed = {
        path.relative_to(exported / FROM_THE_COMMIT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (exported / FROM_THE_COMMIT).rglob("*")
        if path.is_file()
    }
    files = _files(zipped)
    _refuse_unknown(function, (name for name, digest in files.items() if committed.get(name) != digest))
    _check_bytecode(function, zipped, FUNCTIONS_LIE_IN)


def _files(zipped: bytes) -> dict[str, str]:
    """The sha256 of each file in hex, without bytecode whose source lies beside it."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        names = set(archive.namelist())
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if _source(name) not in names
        }


def _source(name: str) -> str:
    """The source of a file with bytecode; "" for other files."""
    path = PurePosixPath(name)
    is_bytecode = path.suffix == ".pyc" and path.parent.name == "__pycache__"
    return str(path.parent.parent / f"{path.name.split('.')[0]}.py") if is_bytecode else ""


def _refuse_unknown(where: str, unknown: Iterable[str]) -> None:
    for name in unknown:
        raise UnknownOriginError(
            f"{where}: {name} is not a file of the commit or of a downloaded wheel. Remove .aws-sam, and build again."
        )


def _check_bytecode(where: str, zipped: bytes, lies_in: str) -> None:
    """After the sources were found to be known."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name.endswith((".py", ".pyc"))}
    made = _compiled(tuple((name, files[name]) for name in sorted(files) if name.endswith(".py")), lies_in)
    for name in sorted(files):
        if name.endswith(".pyc") and made.get(name) != files[name]:
            raise UnknownOriginError(
                f"{where}: {name} is not what Python {platform.python_version()} makes of its source. "
                "Remove .aws-sam, and build again with this Python."
            )


@functools.cache
def _compiled(sources: tuple[tuple[str, bytes], ...], lies_in: str) -> dict[str, bytes]:
    """The bytecode, by name. As the builds make it: all files in one process, because the bytes depend on the ones before.

    Layers with the same sources share it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, content in sources:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        compile_ahead(folder, lies_in)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pyc")}
