"""Reads records: what `make live` wrote on AWS or on the local AWS, and what others recorded of AWS before it.

`label`: "aws" counts as seen on AWS. "local" never does. "recorded" is tests/records/recorded.json: facts of public records, in
another form, with a source and a date each:

    {"label": "recorded", "facts": [{"service", "asked", "recorded", "source", "date", "answers"?: {question: answer}}]}

Raises ValueError if a record is not whole.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lab.live.record import FORMAT
from lab.live.verdicts import Verdict

LABELS: Final = ("aws", "local", "recorded")
NAMES: Final = {"format", "label", "region", "date", "version", "findings", "answers"}
FACT: Final = {"service", "asked", "recorded", "source", "date"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a record says of one assumption."""

    assumption: str
    verdict: Verdict
    seen: str


@dataclass(frozen=True, slots=True)
class Record:
    """`answers`: by the question's id. `region` and `date` are "" for label "recorded"."""

    name: str
    label: str
    region: str = ""
    date: str = ""
    findings: Sequence[Recorded] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """Where, when and how an assumption was seen on AWS."""

    region: str
    date: str
    verdict: Verdict


def read(path: Path) -> Record:
    data = json.loads(path.read_text())
    label = data.get("label")
    if data.get("format") != FORMAT or label not in LABELS:
        raise ValueError(f"{path.name}: its format is not {FORMAT}, or its label is not one of {', '.join(LABELS)}")
    if label == "recorded":
        return Record(path.name, label, answers=_of_facts(path.name, data["facts"]))
    if set(data) != NAMES:
        raise ValueError(f"{path.name}: a record has {', '.join(sorted(NAMES))}, and nothing else")
    found = [Recorded(one["assumption"], Verdict(one["verdict"]), one["seen"]) for one in data["findings"]]
    return Record(path.name, label, data["region"], data["date"], tuple(found), data["answers"])


def read_all(folder: Path) -> list[Record]:
    return [read(path) for path in sorted(folder.glob("*.json"))]


def _of_facts(name: str, facts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for fact in facts:
        if not set(fact) - {"answers"} == FACT or not all(fact[one] for one in FACT - {"date"}):
            raise ValueError(f"{name}: the fact {fact.get('asked')} is not whole")
        twice = set(answers) & set(fact.get("answers", {}))
        if twice:
            raise ValueError(f"{name}: two facts answer {', '.join(sorted(twice))}")
        answers.update(fact.get("answers", {}))
    return answers


def seen(assumption: str, records: Iterable[Record]) -> list[Seen]:
    """The newest first. Only records of label "aws" count, and only where the assumption was really seen."""
    found = [
        Seen(record.region, record.date, finding.verdict)
        for record in records
        if record.label == "aws"
        for finding in record.findings
        if finding.assumption == assumption and finding.verdict is not Verdict.NOT_SEEN
    ]
    return sorted(found, key=lambda one: (one.date, one.region), reverse=True)
