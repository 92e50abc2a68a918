"""Rule 5, where the material stays the same: an update does nothing, or imports the same material again.

A pinned secret has a declared SecretVersionId: its content can't have changed. For lost and other material see
test_update_of_lost_material.py and test_other_material.py.
"""

import pytest

from lab.keys.private_keys import key_for, pkcs8_pem
from lab.keys.random_keys import random_keys
from lab.wire.transport import Fault

KEY, OTHER = random_keys(32, 2)
SECRET = "orders/master-key"
PINNED = {"SecretVersionId": "11111111-2222-3333-4444-555555555555"}
P256 = "ECC_NIST_P256"


def created(world, spec="SYMMETRIC_DEFAULT", value=KEY, **declared):
    """A resource with a pinned secret, and more properties."""
    key = world.external_key(spec)
    world.secret(value, version_id=PINNED["SecretVersionId"])
    answer = world.create(key, SecretId=SECRET, **PINNED | declared)
    assert answer["Status"] == "SUCCESS"
    world.clock.advance(100)
    return key, answer


def updated(world, key, **declared):
    """The answer, and the function's calls before it."""
    before = len(world.aws.calls)
    return world.update(key, **{"SecretId": SECRET} | declared), world.aws.operations()[before:]


# ----------------------------------------------------------------------------------------------------- nothing is to do


@pytest.mark.parametrize(
    "changed",
    [
        {"ServiceTimeout": "1800"},
        {"WrappingKeySpec": "RSA_3072"},
        {"WrappingAlgorithm": "RSAES_OAEP_SHA_1"},
    ],
    ids=",".join,
)
def test_a_pinned_secret_is_not_read_where_nothing_asks_for_an_import(world, changed):
    key, first = created(world)
    before = world.snapshot()

    answer, operations = updated(world, key, **PINNED, **changed)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == first["PhysicalResourceId"]
    assert answer["Data"] == first["Data"]
    assert not {"DescribeSecret", "GetSecretValue", "GetParametersForImport", "ImportKeyMaterial"} & set(operations)
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("spec", "value", "declared"),
    [
        ("SYMMETRIC_DEFAULT", lambda: KEY, {}),
        ("SYMMETRIC_DEFAULT", lambda: KEY, {"ExpectedCheckValue": "CMAC:9F781F72BE"}),
        ("SYMMETRIC_DEFAULT", lambda: KEY, {"ValidForDays": "30"}),
        ("HMAC_256", lambda: KEY, {"ValidTo": "2027-05-31T12:00:00.750+02:00"}),
        (P256, lambda: pkcs8_pem(key_for(P256)), {}),
    ],
)
def test_the_attributes_of_an_update_that_does_nothing_are_those_of_the_create(world, spec, value, declared):
    """A changed attribute would make CloudFormation update all that uses it."""
    key, first = created(world, spec, value(), **declared)

    answer, operations = updated(world, key, **PINNED, ServiceTimeout="1800", **declared)

    assert answer["Data"] == first["Data"]
    assert "ImportKeyMaterial" not in operations


def test_a_deployment_that_changes_nothing_of_the_material_does_not_renew_days_that_are_counted_from_the_import(world):
    key, first = created(world, ValidForDays="30")
    world.clock.advance(86_400 * 10)

    answer, operations = updated(world, key, **PINNED, ServiceTimeout="1800", ValidForDays="30")

    assert "ImportKeyMaterial" not in operations
    assert answer["Data"]["ValidTo"] == first["Data"]["ValidTo"] == "2026-12-31T12:00:00Z"


def test_a_disabled_key_is_left_as_it_is_where_nothing_is_to_import(world):
    key, _ = created(world)
    world.call("DisableKey", KeyId=key)

    answer, _ = updated(world, key, **PINNED, ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Disabled"


def test_where_nothing_is_to_import_the_stack_s_status_need_not_be_readable(world):
    """Rule 6: an update of a usable key that needs no import succeeds without it."""
    key, first = created(world)
    world.aws.faults.inject("DescribeStacks", Fault.READ_TIMEOUT, times=10**6)

    answer, _ = updated(world, key, **PINNED, ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == first["Data"]


# ----------------------------------------------------------------------------------------------- it is imported once more


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        pytest.param({}, {"ValidTo": "2027-03-01T00:00:00Z"}, ("EXPIRES", "2027-03-01T00:00:00Z"), id="added"),
        pytest.param(
            {"ValidTo": "2027-03-01T00:00:00Z"},
            {"ValidTo": "2027-04-01T00:00:00+02:00"},
            ("EXPIRES", "2027-03-31T22:00:00Z"),
            id="changed",
        ),
        pytest.param({"ValidTo": "2027-03-01T00:00:00Z"}, {}, ("DOES_NOT_EXPIRE", ""), id="removed"),
        pytest.param({"ValidForDays": "30"}, {}, ("DOES_NOT_EXPIRE", ""), id="days removed"),
        pytest.param({}, {"ValidForDays": "30"}, ("EXPIRES", "2026-12-31T12:01:40Z"), id="days added"),
        pytest.param(
            {"ValidForDays": "30"}, {"ValidForDays": "20"}, ("EXPIRES", "2026-12-21T12:01:40Z"), id="fewer days"
        ),
        pytest.param(
            {"ValidForDays": "30"}, {"ValidForDays": "40"}, ("EXPIRES", "2027-01-10T12:01:40Z"), id="more days"
        ),
    ],
)
@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_an_expiry_changes_in_place(world, spec, before, after, shown):
    key, first = created(world, spec, **before)

    answer, operations = updated(world, key, **PINNED, **after)

    assert answer["Status"] == "SUCCESS"
    assert (answer["Data"]["ExpirationModel"], answer["Data"]["ValidTo"]) == (f"KEY_MATERIAL_{shown[0]}", shown[1])
    assert answer["Data"]["KeyMaterialId"] == first["Data"]["KeyMaterialId"]
    assert operations.count("ImportKeyMaterial") == 1
    assert "DeleteImportedKeyMaterial" not in operations


@pytest.mark.parametrize(
    ("changed", "pinned"),
    [
        pytest.param({"Trigger": "2"}, PINNED, id="a new Trigger"),
        pytest.param({"ExpectedCheckValue": "CMAC:9F781F"}, PINNED, id="a check value"),
        pytest.param({"KeyMaterialDescription": "from hsm 7"}, PINNED, id="a description"),
        pytest.param({"MaterialEncoding": "RAW"}, PINNED, id="an encoding"),
        pytest.param({}, {}, id="no pinned version any more"),
        pytest.param({"SecretVersionStage": "AWSCURRENT"}, {}, id="a stage"),
    ],
)
def test_what_locates_or_checks_the_material_is_followed_by_an_import_that_verifies_it(world, changed, pinned):
    key, _ = created(world)

    answer, operations = updated(world, key, **pinned, **changed)

    assert answer["Status"] == "SUCCESS"
    assert operations.count("ImportKeyMaterial") == 1
    assert '"confirmed_by": "SAME_MATERIAL"' in world.log.getvalue()


@pytest.mark.parametrize("changed", [{}, {"ServiceTimeout": "1800"}, {"WrappingAlgorithm": "RSAES_OAEP_SHA_1"}])
def test_a_failed_update_that_is_tried_again_imports_what_it_could_not_import_before(world, changed):
    """With --disable-rollback; OldResourceProperties may be the failed update's. The stack's events show it."""
    key, _ = created(world)
    world.secret(OTHER, version_id="v" * 32)
    refused, _ = updated(world, key, SecretId=SECRET, SecretVersionId="v" * 32)
    event = world.update_request(key, SecretId=SECRET, SecretVersionId="v" * 32, **changed)
    failed = {name: value for name, value in event["ResourceProperties"].items() if name not in changed}

    answer = world.invoke(event | {"OldResourceProperties": failed})

    assert refused["Status"] == answer["Status"] == "FAILED"
    other = f"SecretId (secret {SECRET}, version {'v' * 32}): The secret holds other material than the key holds"
    assert answer["Reason"].startswith(other)


def test_an_update_of_a_secret_that_is_not_pinned_verifies_the_material_every_time(world):
    key, _ = created(world)
    updated(world, key)

    answer, operations = updated(world, key, ServiceTimeout="1800")

    assert answer["Status"] == "SUCCESS"
    assert operations.count("ImportKeyMaterial") == 1


def test_a_trigger_renews_days_that_are_counted_from_the_import(world):
    key, _ = created(world, ValidForDays="30")
    world.clock.advance(86_400 * 10)

    answer, _ = updated(world, key, **PINNED, ValidForDays="30", Trigger="2")

    assert answer["Data"]["ValidTo"] == "2027-01-10T12:01:40Z"


def test_a_check_value_that_differs_is_an_error_even_though_the_key_has_the_material(world):
    key, _ = created(world)
    before = world.snapshot()

    answer, operations = updated(world, key, **PINNED, ExpectedCheckValue="CMAC:000000")

    assert answer["Reason"] == (
        f"ExpectedCheckValue {world.last_read()}: The material has another check value than the one declared. Name the secret "
        "and version that hold the right key, or correct ExpectedCheckValue. Nothing was imported."
    )
    assert "ImportKeyMaterial" not in operations
    assert world.snapshot() == before


def test_a_disabled_key_is_not_enabled_by_an_update_that_would_import(world):
    """Rule 7."""
    key, _ = created(world)
    world.call("DisableKey", KeyId=key)
    before = world.snapshot()

    answer, operations = updated(world, key, **PINNED, Trigger="2")

    assert answer["Reason"] == (
        "KeyId: The key is Disabled, and an import would enable it; somebody disabled it for a reason. To import "
        "all the same, enable it first: aws kms enable-key. Nothing was imported."
    )
    assert answer["PhysicalResourceId"] == key
    assert "ImportKeyMaterial" not in operations
    assert world.snapshot() == before
