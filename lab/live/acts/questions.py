"""The questions with one answer, asked of the account and of the tests' stand-ins."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lab.live.act import Act
from lab.live.questions import QUESTIONS, stand_ins
from lab.live.questions.question import Answer, Asked, Question, answer
from lab.live.questions.stacks import MadeStacks
from lab.live.questions.things import Things
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen

SERVICES: Final[Mapping[str, str]] = {
    "cloudformation": "answers-cloudformation",
    "secretsmanager": "answers-secretsmanager",
    "kms": "answers-kms",
    "kms-choices": "kms-choices",
    "lambda": "answers-lambda",
}
EXPECTED: Final = "Each answer is the one that the tests' stand-in gives"


def ask(stage: Stage) -> Iterator[Finding]:
    """A question that is not asked here, or has no answer here, says nothing for or against the stand-ins."""
    made = stage.made
    asked = Asked(made, MadeStacks(made), Things(made, stage.secret_bytes))
    expected = stand_ins.answers()
    for service, assumption in SERVICES.items():
        left_out = {one.id: one.not_local for one in QUESTIONS if one.service == service and _is_left_out(one, stage)}
        questions = [one for one in QUESTIONS if one.service == service and one.id not in left_out]
        seen = {one.id: answer(one, asked) for one in questions}
        stage.answers.update({id_: one.value for id_, one in seen.items() if not one.failed})
        yield _finding(assumption, seen, expected, left_out)


def _is_left_out(question: Question, stage: Stage) -> bool:
    return stage.account.is_local and bool(question.not_local)


def _finding(
    assumption: str, seen: Mapping[str, Answer], expected: Mapping[str, Answer], left_out: Mapping[str, str]
) -> Finding:
    answered = {id_: one.value for id_, one in seen.items() if not one.failed}
    failed = {id_: one.failed for id_, one in seen.items() if one.failed}
    if not answered:
        return not_seen(assumption, f"no question was answered: {failed}", EXPECTED)
    others = {id_: value for id_, value in answered.items() if value != expected[id_].value}
    said = f"{len(answered) - len(others)} of {len(answered)} answers are"
    differences = "".join(f"; {id_}: {value}, not {expected[id_].value}" for id_, value in others.items())
    without = "".join(f"; {id_} has no answer: {why}" for id_, why in failed.items())
    not_asked = f"; the local AWS can't be asked {len(left_out)} questions" if left_out else ""
    facts: dict[str, Any] = {"answered": len(answered), "otherwise": sorted(others), "without_answer": failed}
    facts |= {"not_asked": left_out} if left_out else {}
    return judged(assumption, EXPECTED, said + differences + without + not_asked, holds=not others, **facts)


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "questions",
        f"{len(QUESTIONS)} questions, of AWS and of the tests' stand-ins",
        tuple(SERVICES.values()),
        makes="5 stacks without cost, 7 keys, 6 secrets",
        deadline_seconds=210,
        play=ask,
        dollars=0.03,
    ),
)
