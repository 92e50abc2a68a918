"""The strict KMS and faulty calls: AWS's wording of constraints, errors of form (docs/internals/kms-contract.md, C-82)."""

import base64
import json

import pytest

from lab.clock import VirtualClock
from lab.keys.by_hand import parameters, wrap
from lab.kms import KmsWire, StrictKms
from lab.wire.aws_json import service_model
from lab.wire.constraints import violations
from lab.wire.transport import Request
from tests.support.kms_bench import ACCOUNT, OTHER_REGION, REGION

MODEL = service_model("kms")


def signed(account=ACCOUNT, region=REGION):
    return f"AWS4-HMAC-SHA256 Credential={account}/20261201/{region}/kms/aws4_request, SignedHeaders=host, Signature=0"


def post(wire, operation, body, headers=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"x-amz-target": f"TrentService.{operation}", "authorization": signed()} | (headers or {})
    return wire.handle(Request("POST", "/", sent, body))


def said(response):
    return response.status, json.loads(response.body)


# ------------------------------------------------------------------------------------------------ constraints, in words


@pytest.mark.parametrize(
    ("operation", "parameters", "sentence"),
    [
        (
            "describe_key",
            {"KeyId": "x" * 2049},
            f"1 validation error detected: Value '{'x' * 2049}' at 'keyId' failed to satisfy constraint: "
            "Member must have length less than or equal to 2048",
        ),
        (
            "encrypt",
            {"KeyId": "x", "Plaintext": bytes(4097)},
            "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
            "Member must have length less than or equal to 4096",
        ),
        (
            "import_key_material",
            {"KeyId": "x", "ImportToken": b"", "EncryptedKeyMaterial": bytes(6145)},
            "2 validation errors detected: Value at 'importToken' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1; Value at 'encryptedKeyMaterial' failed to satisfy "
            "constraint: Member must have length less than or equal to 6144",
        ),
        (
            "import_key_material",
            {"KeyId": "x", "ImportToken": b"t", "EncryptedKeyMaterial": b"m", "ExpirationModel": "NEVER"},
            "1 validation error detected: Value 'NEVER' at 'expirationModel' failed to satisfy constraint: "
            "Member must satisfy enum value set: [KEY_MATERIAL_EXPIRES, KEY_MATERIAL_DOES_NOT_EXPIRE]",
        ),
        (
            "delete_imported_key_material",
            {"KeyId": "x", "KeyMaterialId": "A" * 64},
            f"1 validation error detected: Value '{'A' * 64}' at 'keyMaterialId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^[a-f0-9]+$",
        ),
        (
            "list_keys",
            {"Limit": 1001},
            "1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: "
            "Member must have value less than or equal to 1000",
        ),
        (
            "create_key",
            {"Tags": [{"TagKey": "a", "TagValue": ""}, {"TagKey": "b" * 129, "TagValue": ""}]},
            f"1 validation error detected: Value '{'b' * 129}' at 'tags.2.member.tagKey' failed to satisfy constraint: "
            "Member must have length less than or equal to 128",
        ),
    ],
)
def test_a_constraint_is_refused_in_aws_s_words(bench, operation, parameters, sentence):
    with bench.refuses("ValidationException", sentence):
        getattr(bench.kms, operation)(**parameters)


def test_what_is_missing_is_null(bench):
    response = post(bench.wire, "GetParametersForImport", {"KeyId": None, "WrappingAlgorithm": "RSAES_OAEP_SHA_1"})

    assert said(response) == (
        400,
        {
            "__type": "ValidationException",
            "message": "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: "
            "Member must not be null; Value null at 'wrappingKeySpec' failed to satisfy constraint: "
            "Member must not be null",
        },
    )


def test_what_meets_all_constraints_is_no_violation():
    shape = MODEL.operation_model("DescribeKey").input_shape

    assert violations(shape, {"KeyId": "x" * 2048}) is None


# --------------------------------------------------------------------------------------------------------- the protocol


def test_an_empty_message_is_no_message_member_at_all(bench):
    key = bench.key()
    given = parameters(bench.kms, key)
    body = {
        "KeyId": key,
        "ImportToken": base64.b64encode(given["ImportToken"]).decode(),
        "EncryptedKeyMaterial": base64.b64encode(wrap("RSAES_OAEP_SHA_256", given["PublicKey"], b"short")).decode(),
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }

    assert said(post(bench.wire, "ImportKeyMaterial", body)) == (400, {"__type": "InvalidCiphertextException"})


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "The request body is not JSON."),
        (b"[]", "The request body is not a structure."),
        (b"\xff", "The request body is not JSON."),
        (b"[" * 100_000, "The request body is not JSON."),
        (b'{"KeyId": "\\ud800"}', "KeyId is not Unicode."),
        ({"KeyId": 1}, "KeyId is not a string."),
        ({"KeyId": "x", "ImportToken": "%"}, "ImportToken is not base64."),
        ({"KeyId": "x", "ImportToken": 7}, "ImportToken is not base64."),
        ({"KeyId": "x", "ValidTo": "2027-01-01"}, "ValidTo is not a number of seconds since 1970."),
        ({"KeyId": "x", "ValidTo": 1e300}, "ValidTo is not a moment that the calendar knows."),
    ],
)
def test_what_is_not_the_model_s_type_is_named_and_never_quoted(bench, body, sentence):
    expected = {"__type": "SerializationException", "message": sentence}

    assert said(post(bench.wire, "ImportKeyMaterial", body)) == (400, expected)


@pytest.mark.parametrize("target", ["", "TrentService", "Other.DescribeKey", "TrentService."])
def test_a_request_for_no_operation_is_refused(bench, target):
    response = bench.wire.handle(Request("POST", "/", {"x-amz-target": target}, b"{}"))

    assert said(response) == (400, {"__type": "UnknownOperationException"})


def test_an_operation_that_is_not_modelled_is_refused(bench):
    expected = {
        "__type": "UnknownOperationException",
        "message": "These tests' stand-in for kms does not know CreateGrant.",
    }

    assert said(post(bench.wire, "CreateGrant", {})) == (400, expected)


def test_the_signature_shows_region_and_account(bench):
    made = said(post(bench.wire, "CreateKey", {}, {"authorization": signed("999988887777", OTHER_REGION)}))[1]

    assert made["KeyMetadata"]["Arn"].startswith(f"arn:aws:kms:{OTHER_REGION}:999988887777:key/")


@pytest.mark.parametrize("authorization", ["", "Basic x", signed("AKIAIOSFODNN7EXAMPLE")])
def test_a_caller_without_an_account_is_the_default_one(authorization):
    wire = KmsWire(StrictKms(VirtualClock()), default_account="444455556666", default_region="us-west-2")

    made = said(post(wire, "CreateKey", {}, {"authorization": authorization}))[1]

    assert made["KeyMetadata"]["AWSAccountId"] == "444455556666"


def test_members_that_the_model_does_not_know_are_ignored(bench):
    assert post(bench.wire, "ListKeys", {"Elsewhere": {"deep": [1]}}).status == 200
