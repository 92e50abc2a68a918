"""The proof is proved: for each assumption something behaves otherwise on purpose, and its act says so; or its row says why."""

import ast
from pathlib import Path

import pytest

from lab.live import assumptions
from lab.live.acts import ACTS
from tests.lab.live import test_protocol, test_questions
from tests.support import other_application, other_kms

HERE = Path(__file__).parent
ROWS = assumptions.read()

# Where the deviation is no stand-in's: a test feeds the act with what AWS would show otherwise.
FED = {
    "list-while-created": "test_judgements.py::test_a_list_that_has_what_is_being_created_is_otherwise",
    "last-operations": "test_judgements.py::test_last_operations_without_the_rollback_are_otherwise",
    "create-cancelled": "test_judgements.py::test_the_act_tells_a_create_that_is_not_cancelled",
    "cancelled-delete": "test_judgements.py::test_the_act_tells_a_create_that_is_not_cancelled",
    "role-allows": "test_application.py::test_a_role_without_an_action",
    "role-refuses": "test_application.py::test_a_role_that_asks_for_no_tag",
    "secret-foreign-tags": "test_other_places.py::test_a_secret_of_another_account_that_can_not_be_read",
    "cloudformation-pace": "test_pace.py::test_the_pace_of_cloudformation_is_counted_by_the_first_events",
    "cold-start": "test_pace.py::test_the_times_of_lambda_are_read_in_its_log",
    "call-seconds": "test_pace.py::test_the_times_of_lambda_are_read_in_its_log",
    "rollback-deletes-new-id": "test_pace.py::test_what_a_rollback_deletes_decides",
}
PLANTED = {
    **{one.assumption: "tests/support/other_kms/" for one in other_kms.DEVIATIONS},
    **{id_: f"lab/local/deviations/: {name}" for name, id_ in test_protocol.DEVIATIONS.items()},
    **{id_: one.name for one in other_application.DEVIATIONS for id_ in one.assumptions},
    **dict.fromkeys(test_questions.PLANTED, "test_questions.py"),
    **FED,
}


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.id)
def test_each_row_has_a_planted_deviation_or_says_why_not(row):
    assert (row.id in PLANTED) != bool(row.unproved), "a planted deviation, or `unproved` with a reason: one of both"


def test_each_planted_deviation_is_one_of_a_row():
    assert set(PLANTED) <= set(ROWS)


@pytest.mark.parametrize("test", sorted(set(FED.values())))
def test_what_is_named_as_a_proof_is_a_test_that_expects_otherwise(test):
    file, _, name = test.partition("::")
    source = (HERE / file).read_text()

    [found] = [one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == name]
    assert "Verdict.OTHERWISE" in "".join(
        ast.get_source_segment(source, one) or "" for one in (*found.decorator_list, found)
    )


def test_few_acts_are_unproved():
    unproved = {row.act for row in ROWS.values() if row.unproved}

    assert unproved == {"more-deployments", "many-at-once", "handing-over", "beyond"}
    assert unproved <= {act.name for act in ACTS}
