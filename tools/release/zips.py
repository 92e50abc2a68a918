"""Zips whose bytes depend on nothing but the names and bytes of the files in them.

The order is that of the names, each file is from 1980-01-01, the first date a zip knows, and everybody may read it: Lambda runs
the code as another user. Equal files give equal zips in each version, so a name with the zip's hash never gets other content.
"""

import hashlib
import io
import stat
import zipfile
from pathlib import Path
from typing import Final

MODE: Final = stat.S_IFREG | 0o644
LEVEL: Final = 6
UNIX: Final = 3  # the system that modes belong to; Python would write its own
NAME_HEX_DIGITS: Final = 16


def zip_folder(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                file.create_system, file.external_attr = UNIX, MODE << 16
                archive.writestr(file, path.read_bytes(), zipfile.ZIP_DEFLATED, LEVEL)
    return buffer.getvalue()


def name_of(what: str, content: bytes) -> str:
    """A name that another content never has."""
    return f"{what}-{hashlib.sha256(content).hexdigest()[:NAME_HEX_DIGITS]}.zip"


def zips_of(built: Path, logical_ids: list[str]) -> tuple[dict[str, bytes], dict[str, str]]:
    """The zips by name, and the name for each logical id. Functions with the same files share one zip."""
    zips: dict[str, bytes] = {}
    names: dict[str, str] = {}
    for logical_id in logical_ids:
        content = zip_folder(built / logical_id)
        known = next((name for name, other in zips.items() if other == content), "")
        names[logical_id] = known or name_of(logical_id, content)
        zips[names[logical_id]] = content
    return zips, names
