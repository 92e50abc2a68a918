"""Makes dist/ anew (`make release`). Exit code 1 and a sentence if this commit can't be released; dist/ is then as before."""

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Final

from tools.release import origins, sbom, template, wheels, zips
from tools.release.source import NotReleasableError, Source

REPOSITORY: Final = Path(__file__).resolve().parents[2]
BUILT: Final = REPOSITORY / ".aws-sam" / "build"
LAYER_WHEELS: Final = REPOSITORY / ".wheels"
TOOLS_WHEELS: Final = REPOSITORY / ".wheels-tools"
SAM: Final = REPOSITORY / ".venv-sam" / "bin" / "sam"
TEMPLATE, SBOM, NEWS, SUMS = "imported-key-material.json", "sbom.cdx.json", "RELEASE_NOTES.md", "SHA256SUMS"
COPIED: Final = ("examples/artifact-bucket.yaml", "examples/sign-release.sh")

type Files = dict[str, bytes]
"""The files of dist/, by name."""


def release(source: Source, exported: Path, scratch: Path, built_with: str) -> Files:
    """All files. `exported`: the commit's files."""
    return with_sums(
        {
            **application(source, exported),
            **packages(source, exported, scratch),
            **{Path(name).name: (exported / name).read_bytes() for name in COPIED},
            NEWS: f"# {source.version}\n\n{source.news}\n\n{built_with}\n".encode(),
        }
    )


def application(source: Source, exported: Path) -> Files:
    """The zips of functions and layers, the template that names them, and the SBOM of what is in them."""
    written = exported / "template.yaml"
    logical_ids = template.artifacts(written)
    content, names = zips.zips_of(BUILT, logical_ids)
    downloaded = origins.wheels_in(LAYER_WHEELS)
    inside = {}
    for logical_id in logical_ids:
        zipped = content[names[logical_id]]
        if logical_id in origins.PLATFORMS:
            inside[names[logical_id]] = origins.wheels_of(logical_id, zipped, downloaded)
        else:
            origins.check_function(logical_id, zipped, exported)
    return {
        **content,
        TEMPLATE: template.written(template.plain(written, names)),
        SBOM: sbom.document(source, content, inside),
    }


def packages(source: Source, exported: Path, scratch: Path) -> Files:
    """The wheels, and the list of each that installs it by hash."""
    files: Files = {}
    for project in wheels.PROJECTS:
        wheel = wheels.build(project, exported, source.epoch, TOOLS_WHEELS, scratch / project.name)
        locked = (exported / "requirements" / project.locked).read_text("utf-8")
        files[wheel.name] = wheel.read_bytes()
        files[f"{project.name}-requirements.txt"] = wheels.requirements(
            project, source.version, files[wheel.name], locked
        ).encode()
    return files


def with_sums(files: Files) -> Files:
    """And their hashes, as `sha256sum --check` reads them."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    return {**files, SUMS: "".join(lines).encode()}


def built_with(commit: str) -> str:
    """What gives the same bytes again."""
    sam = subprocess.run([SAM, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    python = f"CPython {platform.python_version()} with zlib {zlib.ZLIB_RUNTIME_VERSION}"
    return f"To make the same bytes: `make release` at commit {commit}, with {python} and SAM CLI {sam}."


def main() -> int:
    try:
        source = Source.of(REPOSITORY)
        said = built_with(source.commit)
        with tempfile.TemporaryDirectory() as folder:
            exported = Path(folder) / "commit"
            source.export(exported)
            files = release(source, exported, Path(folder), said)
    except (
        NotReleasableError,
        origins.UnknownOriginError,
        template.TooLargeError,
        wheels.BuildFailedError,
    ) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    write(files, REPOSITORY / "dist")
    for name, content in sorted(files.items()):
        print(f"{len(content):>12,}  dist/{name}")
    print(said)
    return 0


def write(files: Files, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
