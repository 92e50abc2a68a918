"""Holds a record of `make live` against the assumptions and the stand-ins. Each check returns what is wrong, in sentences."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lab.live.assumptions import Assumption
from lab.live.questions import on_failure, stand_ins
from lab.live.records import Record
from lab.live.verdicts import Verdict

FOLDER: Final = Path(__file__).resolve().parents[1] / "records"


def against_assumptions(record: Record, rows: Mapping[str, Assumption]) -> Iterator[str]:
    for finding in record.findings:
        row = rows.get(finding.assumption)
        if row is None:
            yield f"{record.name}: there is no assumption {finding.assumption}"
        elif record.label == "aws" and finding.verdict is Verdict.OTHERWISE and not row.otherwise:
            yield f"{record.name}: {row.id} is otherwise on AWS: {finding.seen}"


def against_stand_ins(record: Record, answers: Mapping[str, Any]) -> Iterator[str]:
    """A record of the local AWS has its answers, which are not AWS's."""
    for id_, recorded in record.answers.items() if record.label != "local" else ():
        if id_ not in answers:
            yield f"{record.name}: there is no question {id_}"
        elif answers[id_] != recorded:
            yield f"{record.name}: {id_} is {recorded}, and the stand-in answers {answers[id_]}"


def answers_of_stand_ins() -> dict[str, Any]:
    """By id; also the shapes of records of the on-failure function."""
    asked = {id_: one.value for id_, one in stand_ins.answers().items()}
    return asked | {id_: shape() for id_, shape in on_failure.SHAPES.items()}
