"""The questions: the stand-ins answer each of them, and the act says "otherwise" as soon as one answer differs."""

import pytest

from lab.live.acts import questions as acts
from lab.live.made import Made
from lab.live.questions import QUESTIONS, question, stand_ins
from lab.live.questions.question import Answer, Question
from lab.live.run_list import RunList
from lab.live.stage import Shared, Stage
from lab.live.verdicts import Verdict

(ACT,) = acts.ACTS
PLANTED = {
    "answers-cloudformation": ("cloudformation:first-event-of-resource", {"status": "CREATE_IN_PROGRESS", "id": "x"}),
    "answers-secretsmanager": ("secretsmanager:marked", {"DeletedDate": False, "VersionIdsToStages": True}),
    "answers-kms": ("kms:valid-to", {"code": "none", "cut_to_the_second": False}),
    "answers-lambda": ("lambda:unknown-function", {"code": "none"}),
    "kms-choices": ("kms-choices:one-material", []),
}


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Plays the act on the stand-ins, as if they were an account; `others` are answers of the account."""

    def play(others=()):
        with stand_ins.stand_ins() as asked:
            monkeypatch.setattr(acts, "MadeStacks", lambda _made: asked.stacks)
            monkeypatch.setattr(acts, "answer", lambda one, who: dict(others).get(one.id) or question.answer(one, who))
            made = Made(asked.made.account, asked.made.run, RunList(tmp_path))
            stage = Stage(made, Shared(made), asked.made.account.now())
            return {one.assumption: one for one in acts.ask(stage)}, stage.answers

    return play


def test_every_question_has_its_own_id_and_the_stand_ins_answer_it():
    answers = stand_ins.answers()

    assert len(answers) == len(QUESTIONS) >= 60
    assert {id_: one.failed for id_, one in answers.items() if one.failed} == {}
    assert {one.service for one in QUESTIONS} == set(acts.SERVICES)


def test_two_worlds_give_the_same_answers_so_an_answer_names_nobody():
    assert stand_ins.answers() == stand_ins.answers()


def test_on_the_stand_ins_everything_is_as_assumed_and_the_answers_are_kept(ask):
    findings, answers = ask()

    assert {one.verdict for one in findings.values()} == {Verdict.AS_ASSUMED}
    assert set(findings) == set(ACT.settles)
    assert set(answers) == {one.id for one in QUESTIONS if not one.not_local}


def test_a_question_without_an_answer_says_nothing_against_the_stand_ins(ask):
    findings, answers = ask({"kms:valid-to": Answer(failed="AccessDeniedException: the caller may not ask")})

    assert findings["answers-kms"].verdict is Verdict.AS_ASSUMED
    assert "kms:valid-to has no answer: AccessDeniedException: the caller may not ask" in findings["answers-kms"].seen
    assert "kms:valid-to" not in answers


def test_a_service_that_answers_nothing_is_not_seen(ask):
    findings, _ = ask({one.id: Answer(failed="x") for one in QUESTIONS if one.service == "lambda"})

    assert findings["answers-lambda"].verdict is Verdict.NOT_SEEN


def test_a_throttled_question_is_asked_again():
    """The quota of GetParametersForImport may be one request in four seconds."""
    said = [{"code": "ThrottlingException"}, {"code": "none"}]

    with stand_ins.stand_ins() as asked:
        found = question.answer(Question("kms:x", "", lambda _: said.pop(0)), asked)
        denied = question.answer(Question("kms:x", "", lambda _: {"code": "AccessDeniedException"}), asked)

    assert found == Answer({"code": "none"})
    assert denied.failed == "AccessDeniedException: the caller may not ask, or not so often"


@pytest.mark.parametrize("assumption", PLANTED)
def test_one_other_answer_is_otherwise_and_only_for_its_service(ask, assumption):
    id_, value = PLANTED[assumption]

    findings, _ = ask({id_: Answer(value)})

    verdicts = {name: one.verdict for name, one in findings.items()}
    assert verdicts == dict.fromkeys(findings, Verdict.AS_ASSUMED) | {assumption: Verdict.OTHERWISE}
    assert findings[assumption].facts["otherwise"] == [id_]
    assert f"{id_}: {value}, not " in findings[assumption].seen
