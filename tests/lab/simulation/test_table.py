"""The table: every operation x every API call that it makes x every fault. `make prove` plays all of it.

Here each operation plays every fifth case. Each commit begins with another one. The gate's `make prove` plays the others.
"""

import pytest

from lab.simulation import table
from lab.simulation.__main__ import main
from tests.lab.simulation.test_histories import first_seed

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("operation", table.OPERATIONS, ids=lambda operation: operation.name)
def test_no_fault_at_any_call_breaks_an_invariant(operation, record_property):
    cases = table.share(operation, first_seed())
    record_property("cases", len(cases))
    print(f"{operation.name}: {len(cases)} cases")  # noqa: T201  # shown with -s, and if a case fails

    assert [wrong for wrong in map(table.wrong, cases) if wrong] == []


CALLS = {
    "DescribeKey", "ListResourceTags", "GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial",
    "ListKeyRotations", "GetKeyRotationStatus", "RotateKeyOnDemand", "GetPublicKey", "VerifyMac",
    "DescribeSecret", "GetSecretValue", "DescribeStacks", "DescribeStackResource",
    "DescribeStackEvents", "ListStackResources",
}  # fmt: skip


def test_each_call_of_the_function_meets_each_fault():
    cases = table.cases()
    struck = {(case.api, case.fault) for case in cases}

    assert {api for api, _ in struck} == CALLS
    # Only asymmetric keys have GetPublicKey, and the table has a sample of them.
    assert struck >= {(api, fault) for api in CALLS - {"GetPublicKey"} for fault in table.FAULTS}
    assert len(cases) > 4000


def test_only_the_delete_of_an_adopted_key_makes_no_call():
    empty = [operation.name for operation in table.OPERATIONS if not table.cases((operation,))]

    assert empty == ["delete of an adopted key"]


@pytest.mark.parametrize("number", [None, 0, 7, 0xFFFFFFFF])
def test_what_the_program_leaves_out_is_what_make_test_plays(monkeypatch, capsys, number):
    played: list[table.Case] = []
    monkeypatch.setattr(table.many, "on_all_cores", lambda _work, cases, *_: iter([played.extend(cases)]))

    assert main(["table"] if number is None else ["table", "--without-share", str(number)]) == 0

    left_out = set() if number is None else {case for each in table.OPERATIONS for case in table.share(each, number)}
    assert set(played) == set(table.cases()) - left_out
    assert len(left_out) == 0 if number is None else 1000 < len(left_out) < len(played) / 3
    told = f"{len(played)} cases, 0 violations" + (f"; {len(left_out)} are left to make test" if left_out else "")
    assert capsys.readouterr().out.splitlines()[-1] == told
