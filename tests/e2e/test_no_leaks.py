"""No secret is in the logs, events, answers, CloudFormation's records or MiniStack's logs.

Canaries: material that a test looks for afterwards, raw, in hex and in base64, in all of these.
"""

import base64
import json
import secrets

import pytest

from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem


def forms(material):
    """The forms in which material would appear. Of base64 the middle, at each of its three alignments."""
    encoded = [base64.b64encode(material[shift:]).decode()[4:-8] for shift in range(3)]
    return [material.decode("latin-1"), material.hex(), material.hex().upper(), *encoded, repr(material)[2:-1]]


@pytest.fixture
def everything(scene):
    """All texts that have been written about a scene's stack, by name."""

    def texts():
        folder = scene.aws.folder
        cloudformation = scene.aws.stacks.cloudformation
        events = cloudformation.describe_stack_events(StackName=scene.stack_id)["StackEvents"]
        logs = scene.aws.client("logs")
        group = "/aws/lambda/imported-key-material"
        files = {str(path): path.read_text(errors="replace") for path in folder.rglob("*.log")}
        return {
            **files,
            "journal": (folder / "journal.jsonl").read_text(),
            "stack events": json.dumps(events, default=str),
            "the stack": json.dumps(cloudformation.describe_stacks(StackName=scene.stack_id), default=str),
            "CloudWatch Logs": json.dumps(logs.filter_log_events(logGroupName=group), default=str),
        }

    return texts


def found(texts, material):
    """Where material appears, and in which form."""
    return [(name, form[:12]) for name, text in texts.items() for form in forms(material) if form in text]


def test_no_material_is_seen_when_all_goes_well(scene, everything):
    transport = scene.key()
    symmetric, mac, private_key = secrets.token_bytes(32), secrets.token_bytes(32), key_for("ECC_NIST_P256")
    wrapped = scene.encrypted(symmetric, transport, "symmetric")
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": transport}

    stack = scene.create(
        {
            "Wrapped": scene.material(scene.empty_key(), scene.secret(wrapped, "symmetric"), SecretWrapping=wrapping),
            "Text": scene.material(
                scene.empty_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC"),
                scene.secret(base64.b64encode(mac).decode(), "text"),
            ),
            "Pem": scene.material(
                scene.empty_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"),
                scene.secret(pkcs8_pem(private_key), "pem"),
            ),
        }
    )
    scene.stack_id = stack.stack_id
    assert stack.status == "CREATE_COMPLETE"
    assert scene.delete().status == "DELETE_COMPLETE"

    texts = everything()

    for material in (symmetric, mac, pkcs8_der(private_key), wrapped):
        assert found(texts, material) == []


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        pytest.param({}, lambda canary: canary, id="raw bytes of a wrong length"),
        pytest.param({}, lambda canary: base64.b64encode(canary).decode(), id="base64 of a wrong length"),
        pytest.param({"MaterialEncoding": "HEX"}, lambda canary: canary.hex()[:-1], id="hex with a digit too few"),
        pytest.param({"MaterialEncoding": "PEM"}, lambda canary: canary.hex(), id="text that is no PEM"),
        pytest.param(
            {"SecretJsonKey": "key"}, lambda canary: json.dumps({"other": canary.hex()}), id="another JSON field"
        ),
        pytest.param({"SecretJsonKey": "key"}, lambda canary: f'{{"key": "{canary.hex()}', id="half a JSON object"),
    ],
)
def test_no_material_is_seen_when_it_is_refused(scene, everything, declared, value):
    canary = secrets.token_bytes(47)

    stack = scene.create({"Material": scene.material(scene.empty_key(), scene.secret(value(canary)), **declared)})
    scene.stack_id = stack.stack_id

    assert stack.status == "ROLLBACK_COMPLETE"
    assert found(everything(), canary) == []


def test_plaintext_that_somebody_writes_into_a_property_is_not_repeated(scene):
    """It is in CloudFormation's own records, where its author put it; the function does not repeat it."""
    canary = secrets.token_hex(32)
    material = scene.material(scene.empty_key(), scene.secret(b"x" * 32), Plaintext=canary)

    stack = scene.create({"Material": material})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert canary not in scene.aws.logs()
    assert canary not in json.dumps(scene.answers())
    assert canary not in scene.reason(stack)


def test_no_response_url_is_logged(scene):
    scene.create({"Material": scene.material(scene.empty_key(), scene.secret(secrets.token_bytes(32)))})
    scene.delete()

    texts = [path.read_text(errors="replace") for path in scene.aws.folder.rglob("*.log")]

    assert texts
    for text in texts:
        assert "X-Amz-Signature" not in text
        assert "cfn-response" not in text


def test_every_request_is_answered_once(scene):
    scene.create({"Material": scene.material(scene.empty_key(), scene.secret(secrets.token_bytes(32)))})
    scene.delete()

    assert [(entry["heard"], entry["body"]["Status"]) for entry in scene.answers()] == [(True, "SUCCESS")] * 2
