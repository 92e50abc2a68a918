"""The strict KMS under random calls: it never crashes, and answers only with 200 or a refusal (400, 412)."""

import base64
import json
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.clock import VirtualClock
from lab.kms import KmsWire, StrictKms
from lab.kms.operations.table import OPERATIONS
from lab.wire.aws_json import service_model
from lab.wire.transport import Request
from tests.support.kms_bench import ACCOUNT, REGION

pytestmark = pytest.mark.slow

MODEL = service_model("kms")
WIRE = KmsWire(StrictKms(VirtualClock()))
MISSING = "11111111-2222-3333-4444-555555555555"


def signed(account=ACCOUNT, region=REGION):
    return f"AWS4-HMAC-SHA256 Credential={account}/20261201/{region}/kms/aws4_request, SignedHeaders=host, Signature=0"


def post(wire, operation, body, headers=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"x-amz-target": f"TrentService.{operation}", "authorization": signed()} | (headers or {})
    return wire.handle(Request("POST", "/", sent, body))


def said(response):
    return response.status, json.loads(response.body)


KEYS = (
    {},
    {"Origin": "EXTERNAL"},
    {"Origin": "EXTERNAL", "MultiRegion": True},
    {"MultiRegion": True},
    {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
    {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
    {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
    {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"},
    {"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY"},
)


def playground():
    """A KMS with one key of each kind, the references that lead to them, and a ciphertext. Always the same: one seed."""
    wire = KmsWire(StrictKms(VirtualClock()))
    found = [said(post(wire, "CreateKey", key))[1]["KeyMetadata"] for key in KEYS]
    post(wire, "CreateAlias", {"AliasName": "alias/orders", "TargetKeyId": found[0]["KeyId"]})
    sealed = said(post(wire, "Encrypt", {"KeyId": found[0]["KeyId"], "Plaintext": "bQ=="}))[1]["CiphertextBlob"]
    references = [one["KeyId"] for one in found] + [found[0]["Arn"], "alias/orders", MISSING, "arn:aws:kms", "x"]
    return wire, references, sealed


@cache
def known():
    return playground()[1:]


def plausible(shape):
    """Values of a shape that are nearly right: most calls pass the first check."""
    return PLAUSIBLE[shape.type_name](shape)


def a_structure(shape):
    members = {name: plausible(member) for name, member in shape.members.items()}
    required = {name: members.pop(name) for name in shape.required_members}
    return st.fixed_dictionaries(required, optional=members)


def a_blob(_):
    sizes = st.sampled_from([1, 16, 32, 64, 256, 300]).map(bytes)
    blobs = st.one_of(st.binary(max_size=80), sizes).map(lambda value: base64.b64encode(value).decode())
    return st.one_of(blobs, st.just(known()[1]))


def a_string(shape):
    if shape.enum:
        return st.sampled_from(shape.enum)
    return st.sampled_from(known()[0]) if "KeyId" in shape.name else st.text(max_size=40)


PLAUSIBLE = {
    "structure": a_structure,
    "list": lambda shape: st.lists(plausible(shape.member), max_size=3),
    "map": lambda shape: st.dictionaries(st.text(max_size=5), plausible(shape.value), max_size=2),
    "blob": a_blob,
    "string": a_string,
    "boolean": lambda _: st.booleans(),
    "integer": lambda _: st.integers(-5, 2000),
    "timestamp": lambda _: st.floats(0, 4e9),
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def nearly_right(draw):
    """A plausible body, or one with some members replaced by anything."""
    operation = draw(st.sampled_from(sorted(OPERATIONS)))
    shape = MODEL.operation_model(operation).input_shape
    body = draw(plausible(shape))
    for name in draw(st.lists(st.sampled_from([*shape.members, "Unknown"]), max_size=2)) if shape.members else ():
        if draw(st.integers(0, 3)) == 0:
            body[name] = draw(json_values)
    return operation, body


def require_an_answer(response):
    assert response.status in (200, 400, 412)
    body = json.loads(response.body)
    assert ("__type" in body) == (response.status != 200)


def test_whatever_is_asked_is_answered():
    """Also, most operations have calls that succeed: a fuzzer whose calls are all refused proves nothing."""
    passed = set()

    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(nearly_right(), min_size=1, max_size=10))
    def fuzz(asked):
        wire = playground()[0]
        for operation, body in asked:
            response = post(wire, operation, body)
            require_an_answer(response)
            if response.status == 200:
                passed.add(operation)

    fuzz()
    assert len(passed) >= 15


@settings(max_examples=300, deadline=None, database=None)
@given(st.sampled_from(sorted(OPERATIONS)), st.binary(max_size=60) | json_values.map(lambda v: json.dumps(v).encode()))
def test_whatever_body_comes_is_answered(operation, body):
    require_an_answer(post(WIRE, operation, body))


@settings(max_examples=200, deadline=None, database=None)
@given(st.dictionaries(st.sampled_from(["x-amz-target", "authorization", "content-type"]), st.text(max_size=60)))
def test_whatever_headers_come_are_answered(headers):
    require_an_answer(WIRE.handle(Request("POST", "/", headers, b"{}")))
