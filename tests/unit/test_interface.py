"""tools.interface: the record of what users' templates rely on, and the promise that it keeps holding."""

import copy
import json

import pytest

from imported_key_material import properties
from imported_key_material.errors import Faults
from imported_key_material.lifecycle import attributes
from tools import interface

EARLIEST = "0.2.0"


@pytest.fixture
def now():
    return copy.deepcopy(interface.present())


def test_the_record_of_this_version_is_current_and_no_earlier_version_s_promise_is_broken(capsys):
    assert interface.main(["--check"]) == 0
    assert capsys.readouterr().err == ""
    assert (interface.RECORDS / f"{EARLIEST}.json").exists()


def test_the_record_has_every_property_and_every_attribute(now):
    assert set(now["attributes"]) == set(attributes.NONE)
    assert {name for name in now["properties"] if name and "." not in name and "[" not in name} > {
        "ServiceToken",
        "KeyId",
        "ValidTo",
    }
    assert now["properties"][""]["required"] == ["ServiceToken", "KeyId", "SecretId"]


def _without(now, kind, name):
    del now[kind][name]


def _with(now, kind, name, **rule):
    now[kind][name] = now[kind].get(name, {}) | rule


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda now: _without(now, "properties", "Trigger"), "properties: Trigger is gone."),
        (lambda now: _without(now, "attributes", "CheckValue"), "attributes: CheckValue is gone."),
        (lambda now: _without(now, "parameters", "LogLevel"), "parameters: LogLevel is gone."),
        (lambda now: _without(now, "outputs", "RoleArn"), "outputs: RoleArn is gone."),
        (
            lambda now: _with(now, "properties", "", required=["ServiceToken", "KeyId", "SecretId", "ValidTo"]),
            'properties: : required was ["ServiceToken", "KeyId", "SecretId"], and is '
            '["ServiceToken", "KeyId", "SecretId", "ValidTo"].',
        ),
        (
            lambda now: _with(now, "properties", "NewMaterial", enum=["REFUSE", "ROTATE"]),
            'properties: NewMaterial: enum was ["REFUSE", "STAGE", "ROTATE"], and is ["REFUSE", "ROTATE"].',
        ),
        (
            lambda now: _with(now, "properties", "ValidForDays", maximum=363),
            "properties: ValidForDays: maximum was 364, and is 363.",
        ),
        (
            lambda now: _with(now, "properties", "ServiceTimeout", minimum=121),
            "properties: ServiceTimeout: minimum was 120, and is 121.",
        ),
        (
            lambda now: _with(now, "properties", "Trigger", pattern="^[a-z]+$"),
            "properties: Trigger: the rule pattern is new.",
        ),
        (
            lambda now: _with(now, "properties", "PreviousSecretVersionIds[]", pattern="^x$"),
            'properties: PreviousSecretVersionIds[]: pattern was "^[A-Za-z0-9-]{32,64}$", and is "^x$".',
        ),
        (
            lambda now: _with(now, "parameters", "LogRetentionDays", Default=30),
            "parameters: LogRetentionDays: Default was 365, and is 30.",
        ),
        (lambda now: now["parameters"]["LogLevel"].pop("Default"), "parameters: LogLevel: it has no default any more."),
        (lambda now: _with(now, "parameters", "Owner", Type="String"), "parameters: Owner is new and has no default."),
        (
            lambda now: _with(now, "outputs", "RoleArn", Name="role"),
            'outputs: RoleArn: Name was {"Fn::Sub": "${AWS::StackName}-RoleArn"}, and is "role".',
        ),
    ],
)
def test_what_an_earlier_version_accepted_and_this_one_does_not_is_told(now, change, sentence):
    earlier = copy.deepcopy(now)

    change(now)

    assert interface.broken_promises(earlier, now) == [sentence]


def test_what_only_gets_wider_breaks_nothing(now):
    earlier = copy.deepcopy(now)

    _with(now, "properties", "Next", type="string")
    _with(now, "properties", "NewMaterial", enum=["REFUSE", "STAGE", "ROTATE", "LATER"])
    _with(now, "properties", "ValidForDays", maximum=400)
    _with(now, "properties", "ServiceTimeout", minimum=1)
    _with(now, "properties", "SecretWrapping", required=["Algorithm"])
    del now["properties"]["Trigger"]["maxLength"]
    _with(now, "parameters", "Next", Type="String", Default="")
    _with(now, "attributes", "Next")

    assert interface.broken_promises(earlier, now) == []


def test_a_broken_promise_fails_the_check_and_names_the_version(tmp_path, monkeypatch, capsys):
    earlier = copy.deepcopy(interface.present())
    earlier["properties"]["Owner"] = {"type": "string"}
    (tmp_path / "0.1.0.json").write_text(json.dumps(earlier))
    monkeypatch.setattr(interface, "RECORDS", tmp_path)

    assert interface.main([]) == 1

    assert capsys.readouterr().err == (
        "Version 0.1.0: properties: Owner is gone. Stacks that rely on it would fail: docs/deploying.md, Upgrade.\n"
    )


DECLARED = {
    "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:imported-key-material",
    "ServiceTimeout": "3600",
    "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "SecretId": "orders/master-key",
    "SecretVersionId": "11111111-2222-3333-4444-555555555555",
    "SecretJsonKey": "key",
    "MaterialEncoding": "HEX",
    "SecretWrapping": {"Algorithm": "RSA_AES_KEY_WRAP_SHA_256", "KeyId": "alias/transport"},
    "WrappingAlgorithm": "RSA_AES_KEY_WRAP_SHA_256",
    "WrappingKeySpec": "RSA_4096",
    "ValidForDays": "364",
    "KeyMaterialDescription": "orders: 2026-09",
    "PreviousSecretVersionIds": ["66666666-2222-3333-4444-555555555555"],
    "NewMaterial": "ROTATE",
    "ExpectedCheckValue": "CMAC:377822C093",
    "Trigger": "again",
}


def test_a_declaration_with_every_property_of_version_0_2_0_is_still_read():
    record = json.loads((interface.RECORDS / "0.2.0.json").read_text())
    faults = Faults()

    found = properties.read(DECLARED, faults)

    faults.raise_if_any()
    assert found.trigger == "again"
    tops = {name for name in record["properties"] if name and "." not in name and "[" not in name}
    assert tops - set(DECLARED) == {"ValidTo", "SecretVersionStage"}  # each excludes another one
