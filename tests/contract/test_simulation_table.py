"""The full table: every operation x every API call that it makes x every fault. `make table` goes through it, too."""

import pytest

from tests.support.simulation import table


@pytest.mark.parametrize("operation", table.OPERATIONS, ids=lambda operation: operation.name)
def test_no_fault_at_any_call_breaks_an_invariant(operation, record_property):
    cases = table.cases((operation,))
    record_property("cases", len(cases))
    print(f"{operation.name}: {len(cases)} cases")  # noqa: T201  # shown with -s, and where one fails

    assert [wrong for wrong in map(table.wrong, cases) if wrong] == []


def test_the_table_leaves_no_call_out():
    """Each API call of the function is struck by each fault in some case."""
    struck = {(case.api, case.fault) for case in table.cases()}

    assert {api for api, _ in struck} == {
        "DescribeKey", "ListResourceTags", "GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial",
        "ListKeyRotations", "GetKeyRotationStatus", "RotateKeyOnDemand", "GetPublicKey", "VerifyMac",
        "DescribeSecret", "GetSecretValue", "DescribeStacks", "DescribeStackResource", "ListStackResources",
    }  # fmt: skip
    assert len(struck) == 15 * len(table.FAULTS) - sum(
        (api, fault) not in struck for api in ("GetPublicKey",) for fault in table.FAULTS
    )  # of asymmetric keys a sample is enough
