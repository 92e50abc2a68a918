"""Why the watch runs, and which findings are due then. Pure.

**The rule.** The watch has no memory, so a run can't know whether the run before was missed, or what it said. So every run says
all that is urgent. Every run on a Monday (UTC) also says the rest. The schedule has two runs a day, and both say the same:

- if one run is missed, the next one, twelve hours later, says all that is urgent, and the other run of a Monday says the rest;
- if both runs of a Monday are missed, the rest comes a week later, or as soon as it becomes urgent. What expires is urgent in
  its last seven days, which have fourteen runs: each one of them is enough.

The Monday is that of the event's own time, since Lambda may deliver the event of Monday evening on Tuesday. A time that is a
day away from the clock's is not believed.

A run for an event about one key says only what is urgent about this key: the rest can wait for Monday. A run by hand says
everything on any day: somebody asked.

Nobody needs to be believed. An event of KMS decides only which key is looked at. If it names no key of this account and
Region, or reports a call that failed, the run does nothing: anybody may make calls to KMS that fail, and each of them would
make the watch look at all keys. Every other event that is not the schedule's is by hand: only people who may invoke the
function can send it, and a look does no harm.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from imported_key_material.key_id import Home, KeyId, named_key
from imported_key_material.watch.findings import Finding

_MONDAY: Final = 0
_EVENT_MAX_AGE: Final = timedelta(days=1)  # EventBridge and Lambda keep an event for a day at most
_KMS: Final = "aws.kms"
_SCHEDULE: Final = "aws.events"
_FROM_KMS: Final = frozenset({"KMS Imported Key Material Expiration", "KMS CMK Rotation", "KMS CMK Deletion"})
_FROM_CLOUDTRAIL: Final = frozenset({"AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"})
_CALLS: Final = frozenset(
    {"DeleteImportedKeyMaterial", "DisableKey", "ScheduleKeyDeletion", "DeleteExpiredKeyMaterial"}
)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_RESOURCES_MAX: Final = 10
_TEXT_MAX_CHARACTERS: Final = 2048


class NothingToLookAt(Exception):
    """The event is about no key of this account and Region, or about a call that changed nothing. The text says why."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """`at`: the time of the event. `key_id`: the only key to look at; None for all keys. `by_hand`: somebody asked."""

    at: datetime
    key_id: KeyId | None = None
    by_hand: bool = False

    def is_due(self, finding: Finding) -> bool:
        """Whether this run says it."""
        return finding.urgent or self.by_hand or (self.key_id is None and self.at.astimezone(UTC).weekday() == _MONDAY)


def read(event: object, home: Home, now: datetime) -> Occasion:
    """Raises NothingToLookAt. The event may be anything."""
    fields = _mapping(event)
    source = fields.get("source")
    if source == _SCHEDULE:
        return Occasion(_time(fields.get("time"), now))
    if source != _KMS:
        return Occasion(now, by_hand=True)
    _require_about_a_key(fields, home)
    key_id = next(filter(None, (named_key(_text(name), home) for name in _names(fields))), None)
    if key_id is None:
        raise NothingToLookAt("The event of KMS names no key of this account and Region.")
    return Occasion(now, key_id)


def _require_about_a_key(fields: Mapping[str, Any], home: Home) -> None:
    where = (fields.get("account", home.account), fields.get("region", home.region))
    if where != (home.account, home.region):
        raise NothingToLookAt("The event of KMS is from another account or Region.")
    kind, detail = _text(fields.get("detail-type")), _mapping(fields.get("detail"))
    if kind in _FROM_KMS:
        return
    if kind not in _FROM_CLOUDTRAIL or _text(detail.get("eventName")) not in _CALLS:
        raise NothingToLookAt("The event of KMS is of no kind that the watch knows.")
    if detail.get("errorCode"):
        raise NothingToLookAt("The event reports a call that KMS refused: it changed nothing.")


def _names(fields: Mapping[str, Any]) -> Iterator[object]:
    """Where the different kinds of events name their key, by id or by ARN."""
    detail = _mapping(fields.get("detail"))
    yield detail.get("key-id")
    yield _mapping(detail.get("requestParameters")).get("keyId")
    yield _mapping(detail.get("serviceEventDetails")).get("keyId")
    yield from (_mapping(one).get("ARN") for one in _some(detail.get("resources")))
    yield from _some(fields.get("resources"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """No name that counts here is longer."""
    return value if isinstance(value, str) and len(value) <= _TEXT_MAX_CHARACTERS else ""


def _some(value: object) -> Iterator[object]:
    return islice(value if isinstance(value, list) else (), _RESOURCES_MAX)


def _time(text: object, now: datetime) -> datetime:
    try:
        if isinstance(text, str) and _TIME.fullmatch(text):
            at = datetime.fromisoformat(text)
            return at if abs(at - now) <= _EVENT_MAX_AGE else now
    except ValueError:  # a thirteenth month
        pass
    return now
