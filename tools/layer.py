"""Prints the sizes of the built layers, package by package, as a Markdown table (`make layer`).

    python -m tools.layer .aws-sam/build

Zips as a release does. Exit code 1 if a layer is over the limit.
"""

import hashlib
import io
import sys
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from tools.release.zips import zip_folder

LAYERS = {"x86_64": "DependenciesX8664", "arm64": "DependenciesArm64"}  # architecture -> logical id in template.yaml
LIMIT_BYTES = 12_000_000
MEGABYTE = 1_000_000

MODULES_OF_OTHER_NAMES = {"_cffi_backend": "cffi", "dateutil": "python-dateutil"}


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, zipped. `packages`: name and version -> its bytes in the zip."""

    zipped: bytes
    unzipped_bytes: int
    packages: dict[tuple[str, str], int]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.zipped).hexdigest()


def read(folder: Path) -> Layer:
    """Zips a layer's folder, the parent of `python`. Raises LookupError for a module of an unknown package."""
    zipped = zip_folder(folder)
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        files = archive.infolist()
        versions = _versions(archive)
    sizes: defaultdict[tuple[str, str], int] = defaultdict(int)
    for file in files:
        name = _package_of(file.filename, versions)
        sizes[name, versions[name]] += file.compress_size
    return Layer(zipped, sum(file.file_size for file in files), dict(sizes))


def _versions(archive: zipfile.ZipFile) -> dict[str, str]:
    """Package -> version, from each package's METADATA."""
    found = {}
    for name in archive.namelist():
        if name.endswith(".dist-info/METADATA"):
            metadata = HeaderParser().parsestr(archive.read(name).decode())
            found[metadata["Name"]] = metadata["Version"]
    return found


def _package_of(file: str, versions: dict[str, str]) -> str:
    parts = file.removeprefix("python/").split("/")
    module = (parts[1] if parts[0] == "__pycache__" else parts[0]).split(".")[0].split("-")[0]
    wanted = MODULES_OF_OTHER_NAMES.get(module, module).replace("-", "_")
    for name in versions:
        if name.replace("-", "_") == wanted:
            return name
    raise LookupError(f"{file}: belongs to no package of the layer. Add its module to MODULES_OF_OTHER_NAMES.")


def table(layers: dict[str, Layer]) -> str:
    """Markdown: a row per package, largest first, with its zipped size on each architecture."""
    packages = sorted({package for layer in layers.values() for package in layer.packages})
    packages.sort(key=lambda package: -max(layer.packages.get(package, 0) for layer in layers.values()))
    rows = [["package", "version", *(f"{name}, MB zipped" for name in layers)]]
    rows += [
        [name, version, *(_megabytes(layer.packages.get((name, version), 0)) for layer in layers.values())]
        for name, version in packages
    ]
    rows.append(["**all, zipped**", "", *(f"**{_megabytes(len(layer.zipped))}**" for layer in layers.values())])
    rows.append(["unzipped", "", *(_megabytes(layer.unzipped_bytes) for layer in layers.values())])
    rows.append(["sha256 of the zip", "", *(f"`{layer.sha256[:16]}`" for layer in layers.values())])
    rows.insert(1, ["---", "---", *("---:" for _ in layers)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.2f}"


def main() -> int:
    build = Path(sys.argv[1])
    layers = {architecture: read(build / logical_id) for architecture, logical_id in LAYERS.items()}
    print(table(layers))
    heaviest = max(len(layer.zipped) for layer in layers.values())
    print(f"\nlayer: {_megabytes(heaviest)} MB zipped at most, of {_megabytes(LIMIT_BYTES)} MB allowed")
    return 0 if heaviest <= LIMIT_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
