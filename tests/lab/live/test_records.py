"""Every record in tests/records/ agrees with the assumptions and with the stand-ins; each check finds a planted difference."""

import json
from dataclasses import replace

import pytest

from lab.live import assumptions, record, records
from lab.live.records import Record, Recorded
from lab.live.verdicts import Verdict, judged, not_seen
from lab.world import World
from tests.support.live import account_of
from tests.support.live_records import FOLDER, against_assumptions, against_stand_ins, answers_of_stand_ins

RECORDS = records.read_all(FOLDER)
ROW = next(iter(assumptions.read().values()))


@pytest.fixture(scope="module")
def answers():
    return answers_of_stand_ins()


def aws(verdict, assumption=ROW.id, **more):
    found = (Recorded(assumption, verdict, "the key is Enabled"),)
    return Record("live-record.json", "aws", "eu-central-1", "2027-01-03", found, **more)


# ----------------------------------------------------------------------------------------------------- the records


@pytest.mark.parametrize("one", RECORDS, ids=lambda one: one.name)
def test_a_record_agrees_with_the_assumptions(one):
    assert list(against_assumptions(one, assumptions.read())) == []


@pytest.mark.parametrize("one", RECORDS, ids=lambda one: one.name)
def test_a_record_agrees_with_the_stand_ins(one, answers):
    assert list(against_stand_ins(one, answers)) == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_a_record_holds_nothing_of_an_account(path):
    record.require_clean(path.read_text(), [])


def test_the_first_record_has_the_public_facts_and_many_of_them_are_asked_of_the_stand_ins():
    (first,) = [one for one in RECORDS if one.label == "recorded"]
    facts = json.loads((FOLDER / first.name).read_text())["facts"]

    assert len(facts) >= 108
    assert len(first.answers) >= 60
    assert {fact["service"] for fact in facts} == {"cloudformation", "lambda", "secretsmanager", "kms"}


# -------------------------------------------------------------------------------------------------- planted differences


def test_an_assumption_that_is_otherwise_on_aws_fails_with_the_id_of_its_row():
    assert list(against_assumptions(aws(Verdict.OTHERWISE), {ROW.id: ROW})) == [
        f"live-record.json: {ROW.id} is otherwise on AWS: the key is Enabled"
    ]


def test_a_row_may_say_that_aws_is_known_to_do_otherwise():
    known = replace(ROW, otherwise="It is Enabled; rule 2 asks again.")

    assert list(against_assumptions(aws(Verdict.OTHERWISE), {ROW.id: known})) == []


def test_a_finding_of_an_assumption_that_does_not_exist_fails():
    assert list(against_assumptions(aws(Verdict.NOT_SEEN, "nobody"), {ROW.id: ROW})) == [
        "live-record.json: there is no assumption nobody"
    ]


def test_another_answer_than_the_stand_ins_fails_with_both(answers):
    planted = aws(Verdict.AS_ASSUMED, answers={"kms:current-id": {"symmetric": True, "hmac": True}})

    assert list(against_stand_ins(planted, answers)) == [
        "live-record.json: kms:current-id is {'symmetric': True, 'hmac': True}, and the stand-in answers "
        "{'symmetric': True, 'hmac': False}"
    ]


def test_a_stand_in_that_changes_fails_the_first_record(answers):
    """Each answer of the first record is compared."""
    (first,) = [one for one in RECORDS if one.label == "recorded"]

    for id_ in first.answers:
        assert [text.partition(" is ")[0] for text in against_stand_ins(first, answers | {id_: "planted"})] == [
            f"{first.name}: {id_}"
        ]


def test_an_answer_to_a_question_that_does_not_exist_fails(answers):
    planted = aws(Verdict.AS_ASSUMED, answers={"kms:nobody-asks": True})

    assert list(against_stand_ins(planted, answers)) == ["live-record.json: there is no question kms:nobody-asks"]


def test_a_record_of_the_local_aws_counts_neither_for_nor_against_anything(answers):
    local = replace(aws(Verdict.OTHERWISE, answers={"kms:current-id": "x"}), label="local")

    assert list(against_assumptions(local, {ROW.id: ROW})) == []
    assert list(against_stand_ins(local, answers)) == []
    assert records.seen(ROW.id, [local]) == []


# ------------------------------------------------------------------------------------------------------ what was seen


def test_what_was_seen_is_the_newest_first_and_never_what_was_not_seen():
    older = replace(aws(Verdict.OTHERWISE), date="2026-12-31")
    of_another = aws(Verdict.AS_ASSUMED, "another")

    found = records.seen(ROW.id, [older, aws(Verdict.NOT_SEEN), of_another, aws(Verdict.AS_ASSUMED)])

    assert [(one.date, one.region, one.verdict) for one in found] == [
        ("2027-01-03", "eu-central-1", Verdict.AS_ASSUMED),
        ("2026-12-31", "eu-central-1", Verdict.OTHERWISE),
    ]


def test_what_a_run_writes_is_what_is_read(tmp_path):
    findings = [judged(ROW.id, "a", "b", holds=False, state="x"), not_seen("answers-kms", "no right")]
    made = record.make(account_of(World()), "0badcafe", findings, {"kms:new-key": {"enabled": False}})

    found = records.read(record.write(made, tmp_path, []))

    assert (found.label, found.region, found.date) == ("local", "eu-central-1", "2026-12-01")
    assert [(one.assumption, one.verdict) for one in found.findings] == [
        (ROW.id, Verdict.OTHERWISE),
        ("answers-kms", Verdict.NOT_SEEN),
    ]
    assert found.answers == {"kms:new-key": {"enabled": False}}


WHOLE = {
    "format": 1,
    "label": "aws",
    "region": "r",
    "date": "d",
    "version": "v",
    "findings": [],
    "answers": {},
}
FACT = {"service": "kms", "asked": "a", "recorded": "r", "source": "s", "date": ""}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (WHOLE | {"format": 2}, "its format is not 1"),
        (WHOLE | {"label": "seen"}, "its label is not one of aws, local, recorded"),
        (WHOLE | {"more": 1}, "and nothing else"),
        ({"format": 1, "label": "recorded", "facts": [FACT | {"source": ""}]}, "the fact a is not whole"),
        (
            {"format": 1, "label": "recorded", "facts": [FACT | {"answers": {"x": 1}}, FACT | {"answers": {"x": 1}}]},
            "two facts answer x",
        ),
    ],
)
def test_a_record_that_is_not_whole_is_refused(data, says, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(data))

    with pytest.raises(ValueError, match=says):
        records.read(tmp_path / "x.json")
