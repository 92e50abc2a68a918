"""Attacks that want the answer to go elsewhere, or secrets in the answer or the log.

Each host that is refused has its row in tests/unit/cloudformation/test_request.py. Here: two parsers that may read one URL
differently, the function as a whole, and canaries, with every logger of the process at its loudest.
"""

import base64
import logging
from contextlib import suppress

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from imported_key_material.cloudformation.request import NotARequest
from lab.cloudformation import events
from lab.keys.private_keys import pkcs8_der, pkcs8_pem, rsa_key
from lab.keys.random_keys import random_key
from lab.wire.transport import Fault
from lab.world import SIGNATURE, TYPE

BUCKET = events.BUCKET
CANARY = "canaryCANARY7f0c2e5dcanary"

# Signs on which URL parsers have disagreed.
PIECES = st.sampled_from(
    [
        *"/\\?#@:;.%[]&=|^`{}<>\"'~!*(), \t\r\n\0\x7f",
        *(
            "%2F",
            "%5C",
            "%40",
            "%00",
            "%0d%0a",
            "//",
            "\\@",
            ":443",
            ":80",
            "@evil.com",
            ".evil.com",
            "https://",
            "[::1]",
            BUCKET,
        ),
        *"\uff0f\u2100\u3002\uff20\u00ad\u200b\ud800",
    ]
)


@given(before=st.lists(PIECES, max_size=2), behind=st.lists(PIECES, max_size=4), rest=st.lists(PIECES, max_size=4))
def test_the_host_that_is_compared_is_the_host_that_would_be_called(before, behind, rest):
    url = f"https://{''.join(before)}{BUCKET}{''.join(behind)}/x{''.join(rest)}"
    with suppress(NotARequest):
        called = urllib3.util.parse_url(events.request("Create", ResponseURL=url).response_url)
        assert (called.scheme, called.auth, called.host, called.port or 443) == ("https", None, BUCKET, 443)


@pytest.mark.parametrize(
    "url",
    [
        f"https://{BUCKET}.evil.com/x",
        f"https://{BUCKET}@evil.com/x",
        f"https://me@{BUCKET}/x",
        f"https://{BUCKET}:8443/x",
        f"https://{BUCKET}\\@evil.com/x",
        f"https://{BUCKET}\n.evil.com/x",
        f"http://{BUCKET}/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://169.254.170.2/v2/credentials/",
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "file:///proc/self/environ",
        f"https://{BUCKET}/{'x' * 9000}",
        ["https://", BUCKET],
    ],
)
@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_an_event_that_wants_its_answer_elsewhere_is_not_even_looked_into(world, kind, url):
    key = world.external_key()
    world.stack.set("Material", f"{kind.upper()}_IN_PROGRESS", world.clock.now(), type=TYPE, physical_id=key)
    event = world.event(kind, "Material", {"KeyId": key, "SecretId": world.secret(random_key(32)).name})

    assert world.invoke(event | {"ResponseURL": url}) is None
    assert world.aws.calls == []


# ------------------------------------------------------------------------------------------------ what the answer says

MATERIAL = random_key(64)
SHOWN = [CANARY, SIGNATURE, "X-Amz-Signature", "amazonaws.com/arn"]
PEM = pkcs8_pem(rsa_key())


def forms(material):
    """The forms that bytes may appear in: as they are, in hex, in base64 at any offset, as Python prints them."""
    window = material[8:32]
    encoded = [base64.b64encode(window[offset : offset + 18]).decode() for offset in range(3)]
    return [window.hex(), window.hex().upper(), repr(window)[2:-1], window.decode("latin-1"), *encoded]


def secret_in(value):
    return lambda world: {"SecretId": world.secret(value).name}


def declaring(**properties):
    return lambda world: {"SecretId": world.secret(MATERIAL[:32]).name} | properties


def wrapped_wrongly(world):
    unwrap = world.key(KeySpec="SYMMETRIC_DEFAULT")
    blob = world.call("Encrypt", KeyId=unwrap, Plaintext=MATERIAL[:32], EncryptionContext={CANARY: CANARY})
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": unwrap}
    return {"SecretId": world.secret(blob["CiphertextBlob"]).name, "SecretWrapping": wrapping}


CASES = {
    "all is well": secret_in(MATERIAL[:32]),
    "a byte too many": secret_in(MATERIAL[:33]),
    "hex that is not declared": secret_in(MATERIAL[:32].hex()),
    "base64 that is cut off": secret_in(base64.b64encode(MATERIAL).decode()[:41]),
    "a passphrase": secret_in(CANARY.encode()),
    "a passphrase as text": secret_in(f"{CANARY}!?"),
    "JSON": secret_in(f'{{"{CANARY}": "{MATERIAL.hex()}"}}'),
    "a PEM": secret_in(f"{CANARY}\n{PEM}"),
    "DER": secret_in(pkcs8_der(rsa_key())),
    "an ExpectedCheckValue that differs": declaring(ExpectedCheckValue="CMAC:000000"),
    "plaintext as ExpectedCheckValue": declaring(ExpectedCheckValue=CANARY),
    "plaintext as KeyId": declaring(KeyId=CANARY),
    "plaintext as a property's name": declaring(**{f"{CANARY}-": "x"}),
    "plaintext in each property": declaring(ValidTo=CANARY, ValidForDays=CANARY, NewMaterial=CANARY, SecretWrapping=CANARY),
    "plaintext within an object": declaring(SecretWrapping={"Algorithm": CANARY, "KeyId": CANARY, f"{CANARY}_": CANARY}),
    "plaintext in a list": declaring(PreviousSecretVersionIds=[CANARY, {CANARY: CANARY}]),
    "plaintext in a reference": declaring(Trigger=f"{{{{resolve:secretsmanager:{CANARY}}}}}"),
    "plaintext as a description": declaring(KeyMaterialDescription=CANARY),
    "plaintext as a trigger": declaring(Trigger=CANARY),
    "a ciphertext that does not open": wrapped_wrongly,
}  # fmt: skip


@pytest.mark.parametrize("declared", CASES.values(), ids=CASES)
@pytest.mark.parametrize("fault", [None, Fault.INTERNAL_ERROR, Fault.READ_TIMEOUT], ids=["", "KMS fails", "no answer"])
def test_neither_log_nor_answer_shows_material_properties_or_the_url(world, caplog, declared, fault):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "imported_key_material")
    if fault:
        world.aws.faults.inject("ImportKeyMaterial", fault, times=100)
    key = world.external_key()

    event = world.create_request(key)
    event["ResourceProperties"] |= declared(world)

    answer = world.invoke(event)

    told = caplog.text + world.log.getvalue() + str(answer)
    assert "Create of Material" in told
    for text in [*SHOWN, *forms(MATERIAL), *forms(pkcs8_der(rsa_key())[200:]), PEM.splitlines()[3]]:
        assert text not in told
