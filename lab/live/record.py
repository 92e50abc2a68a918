"""The record of a run: facts only, ready to be sent in and replayed by the tests.

Account ids, names, ARNs' random parts, UUIDs, URLs and keys of credentials are replaced. Material, import tokens and
ResponseURLs never get in: the text is searched for them before it is written.

    {"label": "aws" | "local", "region": ..., "date": ..., "version": ..., "findings": [...], "answers": {...}}
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lab.keys.canaries import Canaries
from lab.live.account import Account
from lab.live.run_list import PREFIX
from lab.live.verdicts import Finding
from lab.local import places

ACCOUNT: Final = "111122223333"
FORMAT: Final = 1
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_URL: Final = re.compile(r"https?://[^\s\"']+")
_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_ACCESS_KEY: Final = re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}")
_KEY_ID: Final = re.compile(r"\bmrk-[0-9a-f]{32}")
_SECRET_SUFFIX: Final = re.compile(r"(:secret:[A-Za-z0-9/_+=.@-]+)-[A-Za-z0-9]{6}\b")
_NEVER: Final = ("X-Amz-Signature", "X-Amz-Security-Token", 'ResponseURL": "http')


class NotWritten(Exception):
    """The record would hold what must not leave the account. Nothing was written."""


def make(account: Account, run: str, findings: Iterable[Finding], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The record as a value, with everything replaced."""
    replaced = Replacing(run)
    return {
        "format": FORMAT,
        "label": "local" if account.is_local else "aws",
        "region": account.region,
        "date": f"{account.now():%Y-%m-%d}",
        "version": version(),
        "findings": [
            {
                "assumption": one.assumption,
                "verdict": str(one.verdict),
                "expected": replaced(one.expected),
                "seen": replaced(one.seen),
                "facts": replaced(dict(one.facts)),
            }
            for one in findings
        ],
        "answers": replaced(dict(answers)),
    }


def write(record: Mapping[str, Any], folder: Path, secrets: Iterable[bytes]) -> Path:
    """Writes it as `live-record-<Region>-<date>.json`. Raises NotWritten."""
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    require_clean(text, secrets)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"live-record-{record['region']}-{record['date']}.json"
    path.write_text(text)
    return path


def require_clean(text: str, secrets: Iterable[bytes]) -> None:
    """Raises NotWritten if the text has a piece of material in any form, a signed URL, or another account's number."""
    found = [mark for mark in _NEVER if mark in text]
    if any(Canaries(material=secret).found_in(text) for secret in secrets):
        found.append("key material")
    if set(_ACCOUNT.findall(text)) - {ACCOUNT}:
        found.append("an account's number")
    if _ACCESS_KEY.search(text):
        found.append("an access key's id")
    if found:
        raise NotWritten(f"The record was not written, because it has {', '.join(found)}.")


class Replacing:
    """Replaces what names an account or a thing in it, the same text always by the same."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._uuids: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case bool() | int() | float() | None:
                return value
            case datetime():
                return value.isoformat()
            case Mapping():
                return {self._text(str(name)): self(item) for name, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self(item) for item in value]
        raise TypeError(f"a record has no {type(value).__name__}")

    def _text(self, text: str) -> str:
        text = _URL.sub("URL", text)
        text = _UUID.sub(self._numbered, text)
        text = _KEY_ID.sub(self._numbered, text)
        text = _SECRET_SUFFIX.sub(r"\1-SUFFIX", text)
        text = _ACCESS_KEY.sub("ACCESS-KEY", text)
        return _ACCOUNT.sub(ACCOUNT, text).replace(f"{PREFIX}{self._run}", "RUN").replace(self._run, "RUN")

    def _numbered(self, found: re.Match[str]) -> str:
        return self._uuids.setdefault(found[0].lower(), f"id-{len(self._uuids) + 1}")


def version() -> str:
    """The project's, as its own file says: a run is played from a clone."""
    project: dict[str, str] = tomllib.loads((places.REPOSITORY / "pyproject.toml").read_text())["project"]
    return project["version"]
