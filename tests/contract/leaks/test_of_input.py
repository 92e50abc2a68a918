"""What users put where it does not belong does not come out: plaintext in a property, a secret that can't be read.

Validators print what they refuse, and decoding errors carry all of what they could not read. See test_leaks.py.
"""

import base64
import json

import pytest

from lab.keys.canaries import Canaries
from lab.wire.transport import Refusal
from lab.world import SIGNATURE
from tests.support.planted import (
    IN_A_NAME,
    IN_A_VALUE,
    IN_ITS_FORM,
    KEY,
    SYMMETRIC,
    planted,
    raw,
    wrapped_by_kms,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "changes",
    [
        {"Password": IN_A_VALUE},
        {IN_A_NAME: "x"},
        {"KeyId": IN_A_VALUE},
        {"ValidForDays": IN_A_VALUE},
        {"MaterialEncoding": IN_A_VALUE},
        {"SecretId": IN_A_VALUE},
        {"SecretJsonKey": IN_A_VALUE},
        {"SecretWrapping": {"Algorithm": IN_A_VALUE, "KeyId": IN_A_VALUE, IN_A_NAME: [IN_A_VALUE]}},
        {"ExpectedCheckValue": IN_A_VALUE},
        {"Trigger": "{{resolve:secretsmanager:x}} " + IN_A_VALUE},
        {"ServiceTimeout": {IN_A_NAME: IN_A_VALUE}},
    ],
    ids=lambda changes: next(iter(changes)),
)
@pytest.mark.parametrize("rollback", [False, True])
def test_plaintext_that_was_put_into_a_property_does_not_come_out(world, app, changes, rollback):
    secret = raw(world)
    created = secret.create(world)
    world.settle(created, world.invoke(created))
    world.before["Material"] |= {"Password": IN_A_VALUE, IN_A_NAME: IN_A_VALUE}
    world.clock.advance(10)
    properties = dict(created["ResourceProperties"]) | changes
    event = world.update_request(properties.pop("KeyId"), rollback=rollback, **properties)

    out = app.everything_from(event)

    assert ("SUCCESS Update" if rollback else "FAILED Update") in out
    assert secret.canaries.found_in(out) == {}


@pytest.mark.parametrize(
    ("name", "rollback"),
    [
        (name, rollback)
        for name in IN_ITS_FORM
        for rollback in (False, True)
        if (name, rollback) != ("KeyId", True)  # then it is the physical id that is answered (rules 1 and 6)
    ],
)
def test_plaintext_that_fits_a_property_s_rule_does_not_come_out(world, app, name, rollback):
    """Then AWS is asked for it, and its own texts repeat what it was asked for."""
    secret = raw(world)
    created = secret.create(world)
    world.settle(created, world.invoke(created))
    key = created["ResourceProperties"]["KeyId"]
    world.call("DeleteImportedKeyMaterial", KeyId=key)  # so that a rollback, too, needs the secret
    world.clock.advance(10)
    properties = dict(created["ResourceProperties"]) | {name: IN_ITS_FORM[name]}
    event = world.update_request(properties.pop("KeyId"), rollback=rollback, **properties)

    out = app.everything_from(event)

    assert " Update of Material as " in out
    assert secret.canaries.found_in(out) == {}


def test_a_key_in_place_of_a_secret_s_name_is_shown_as_secret_id(world, app):
    secret = raw(world)
    event = secret.create(world, SecretId=IN_ITS_FORM["SecretId"])
    said = (
        "User: arn:aws:sts::111122223333:assumed-role/imported-key-material/f is not authorized to perform: "
        "secretsmanager:DescribeSecret on resource: "
    )
    why = "because no identity-based policy allows the secretsmanager:DescribeSecret action"
    refusal = Refusal(400, "AccessDeniedException", f"{said}{IN_ITS_FORM['SecretId']} {why}")
    world.aws.faults.inject("DescribeSecret", refusal, times=10**6)

    out = app.everything_from(event)

    assert f"{said}<SecretId> {why}." in out
    assert secret.canaries.found_in(out) == {}


@pytest.mark.parametrize(
    "operation",
    [
        *("DescribeKey", "ListResourceTags", "DescribeSecret", "GetSecretValue", "Decrypt", "GetParametersForImport"),
        *("ImportKeyMaterial", "DescribeStacks", "DescribeStackResource"),
    ],
)
def test_plaintext_that_aws_repeats_does_not_come_out(world, app, operation):
    """Whichever call AWS refuses. What is declared here keeps none of the calls from being made."""
    secret = wrapped_by_kms(world)
    declared = {name: IN_ITS_FORM[name] for name in ("Trigger", "KeyMaterialDescription")}
    said = f"User: x is not authorized to perform: {operation} on resource: "
    refusal = Refusal(400, "AccessDeniedException", f"{said}{' '.join(declared.values())} because")
    world.aws.faults.inject(operation, refusal, times=10**6)

    out = app.everything_from(secret.create(world, **declared))

    assert f"{said}<Trigger> <KeyMaterialDescription> because" in out
    assert secret.canaries.found_in(out) == {}


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        pytest.param(json.dumps({"key": KEY.hex()})[:-1], {"SecretJsonKey": "key"}, id="JSON that is cut off"),
        pytest.param(json.dumps({"other": KEY.hex()}), {"SecretJsonKey": "key"}, id="JSON without the field"),
        pytest.param(json.dumps({KEY.hex(): "x"}), {"SecretJsonKey": "key"}, id="JSON with material for a name"),
        pytest.param(KEY.hex() + "!", {"MaterialEncoding": "HEX"}, id="hex that is none"),
        pytest.param(base64.b64encode(KEY).decode()[:-3], {}, id="base64 that is cut off"),
        pytest.param(KEY + b"\n", {}, id="a newline too many"),
        pytest.param(KEY, {"MaterialEncoding": "BASE64"}, id="bytes that are no base64"),
        pytest.param(KEY, {"ExpectedCheckValue": "CMAC:000000"}, id="another check value"),
        pytest.param(KEY.hex(), {}, id="hex taken for base64"),
    ],
)
def test_a_secret_that_can_t_be_read_does_not_come_out(world, app, value, declared):
    """JSONDecodeError and UnicodeDecodeError carry all of what they could not read."""
    secret = planted(SYMMETRIC, value, of={"material": KEY}, **declared)

    out = app.everything_from(secret.create(world))

    assert "FAILED Create" in out
    assert secret.canaries.found_in(out) == {}


def test_an_event_that_is_not_cloudformation_s_request_does_not_come_out(world, app):
    event = raw(world).create(world, Password=IN_A_VALUE)
    event["LogicalResourceId"] = IN_A_NAME

    out = app.everything_from(event)

    assert "Nothing was done, and nobody was answered." in out
    assert Canaries(signature=SIGNATURE, value=IN_A_VALUE, name=IN_A_NAME).found_in(out) == {}
