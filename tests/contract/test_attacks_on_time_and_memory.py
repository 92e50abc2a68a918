"""Attacks that want the function to hang, to loop, or to drown: what is refused must be refused at once, and in few words.

Secrets have up to 65,536 bytes, and an event may have a megabyte. No clock of the tests' own is asked: the processor's time is,
with a limit far above what any of these takes, and far below Lambda's 900 seconds.
"""

import itertools
import math
import string
import time

import pytest

from tests.support import der
from tests.support.random_keys import random_key

SECRET_MOST_BYTES = 65_536
PROCESSOR_SECONDS = 10.0
LOG_MOST_CHARACTERS = 20_000
DSA = "1.2.840.10040.4.1"
KEY_MEANT = "Name the secret with a key of the KMS key's own size."


@pytest.fixture(autouse=True)
def at_once(world):
    """What these tests do is done soon, and told in few words."""
    before = time.process_time()
    yield
    assert time.process_time() - before < PROCESSOR_SECONDS
    assert len(world.log.getvalue()) < LOG_MOST_CHARACTERS


# --------------------------------------------------------------------------------- private keys whose numbers have no end


def mersenne(exponent):
    """2^exponent - 1, a prime that everybody knows, for some exponents."""
    return (1 << exponent) - 1


def rsa_numbers(p, q):
    """A key that is valid in every respect, and takes the library minutes to hours to find so."""
    least = math.lcm(p - 1, q - 1)
    e = next(e for e in range(65537, 70000, 2) if math.gcd(e, least) == 1)
    return der.rsa_numbers(p, q, e, pow(e, -1, least))


def in_pkcs8(numbers):
    return der.pkcs8(der.ID_RSA, der.null(), der.pkcs1(numbers))


def too_large(what, bits, most_bits):
    return (
        f"SecretId: The RSA key's {what} has {bits:,} bits, and that of the largest key that KMS takes, RSA_4096, has "
        f"{most_bits:,} at most. {KEY_MEANT}"
    )


VALID_AND_ENDLESS = rsa_numbers(mersenne(11213), mersenne(9941))
PRIMES_ALONE = der.rsa_numbers(mersenne(23209), mersenne(9941), 3, 3, n=15, qi=1)


@pytest.mark.parametrize(
    ("key", "too_much"),
    [
        pytest.param(der.pkcs1(VALID_AND_ENDLESS), ("modulus", 21_154, 4_096), id="two known primes, PKCS#1"),
        pytest.param(in_pkcs8(VALID_AND_ENDLESS), ("modulus", 21_154, 4_096), id="two known primes, PKCS#8"),
        pytest.param(in_pkcs8(PRIMES_ALONE), ("first prime", 23_209, 2_048), id="endless primes of a tiny modulus"),
        pytest.param(
            in_pkcs8((15, mersenne(60_000), 3, 5, 3, 1, 1, 1)),
            ("public exponent", 60_000, 4_096),
            id="an endless public exponent",
        ),
        pytest.param(
            in_pkcs8((mersenne(16_384), 65537, 3, 5, 3, 1, 1, 1)),
            ("modulus", 16_384, 4_096),
            id="a modulus of 16,384 bits",
        ),
        pytest.param(
            in_pkcs8((15, 3, mersenne(500_000), 5, 3, 1, 1, 1)),
            ("private exponent", 500_000, 4_096),
            id="an endless private exponent",
        ),
        pytest.param(
            in_pkcs8(der.rsa_numbers(mersenne(4_253), mersenne(4_423), 3, 3, n=15, qi=1)),
            ("first prime", 4_253, 2_048),
            id="two primes that are as long as a modulus",
        ),
    ],
)
def test_a_private_key_with_an_endless_number_is_refused_by_its_length_alone(world, refused, key, too_much):
    assert refused(world.external_key("RSA_2048"), SecretId=world.secret(key).name) == too_large(*too_much)


@pytest.mark.parametrize("bits", [16_000, 130_000, 174_000])
def test_a_dsa_key_is_refused_by_its_algorithm_alone(world, refused, bits):
    """g, p and x of one length: the library computes g^x mod p, for 33 minutes where they fill a secret."""
    key = der.pkcs8(
        DSA, der.sequence(*map(der.integer, (mersenne(bits), 23, mersenne(bits) - 2))), der.integer(mersenne(bits))
    )
    assert refused(world.external_key("RSA_2048"), SecretId=world.secret(key).name) == (
        "SecretId: The private key is of an algorithm that KMS takes no keys of. Name a secret with an RSA, EC or Ed25519 key."
    )


def test_the_largest_rsa_key_that_kms_takes_is_not_hit_by_the_limit(world, refused):
    """4,096 bits, and invalid: the library says so in no time, and the sentence is another."""
    numbers = der.rsa_numbers(mersenne(2048), mersenne(2048) - 2, 65537, 5)

    reason = refused(world.external_key("RSA_4096"), SecretId=world.secret(der.pkcs1(numbers)).name)

    assert reason.startswith("SecretId: The private key is not a valid RSA key")


# -------------------------------------------------------------------------------------- secrets that are as large as can be

BEGIN, END = "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n"
NOISE = random_key(SECRET_MOST_BYTES // 2)


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "RSA_2048"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(NOISE + NOISE, id="noise, repeated"),
        pytest.param(NOISE + NOISE[:-1] + b"\0", id="noise, all but repeated"),
        pytest.param(b"a" * (SECRET_MOST_BYTES - 2) + b"bc", id="all but constant"),
        pytest.param(b"\xff\xfe" + "\u00e9\u4e00".encode("utf-16-le") * 16_000, id="UTF-16"),
        pytest.param("ab" * 32_768, id="hex"),
        pytest.param("A" * 65_535, id="base64 that is cut off"),
        pytest.param("=" * 65_536, id="padding"),
        pytest.param(" " * 65_535 + "A", id="white space"),
        pytest.param((BEGIN + END) * 1_200, id="a thousand private keys"),
        pytest.param("-----BEGIN A1-----\n-----END A1-----\n" * 1_700, id="a thousand other blocks"),
        pytest.param("-----BEGIN " * 5_957, id="blocks that only begin"),
        pytest.param("-----BEGIN " + "A " * 32_000, id="a label without an end"),
        pytest.param(f"{BEGIN}Proc-Type: 4,{' ' * 65_000}{END}", id="a header without an end"),
        pytest.param(BEGIN + "Proc-Type:" * 6_500 + END, id="headers"),
        pytest.param(der.sequence(der.null() * 32_000), id="DER of many parts"),
        pytest.param(b"\x30\xff" + b"\xff" * 127, id="DER with a length of 127 bytes"),
        pytest.param(b"\x30\x80" * 32_000, id="BER, nested"),
        pytest.param(der.pkcs8("1.2.840.113549.1.3.1", der.integer(mersenne(44_497)), der.integer(3)), id="DH"),
        pytest.param(der.pkcs8(der.ID_EC, der.sequence(der.integer(mersenne(44_497))), der.sec1(b"\1")), id="a curve"),
    ],
)  # fmt: skip
def test_a_secret_that_is_as_large_as_can_be_is_refused_at_once(world, refused, spec, value):
    assert refused(world.external_key(spec), SecretId=world.secret(value).name)


@pytest.mark.parametrize(
    "text",
    ['{"a":' * 13_000, '{"a":' * 9_000 + "1" + "}" * 9_000, "[" * 65_000, '{"a":' + "1" * 65_000 + "}", '{"a":1e999999999}'],
    ids=["open objects", "nested objects", "open arrays", "an endless integer", "an endless float"],
)  # fmt: skip
def test_json_without_an_end_is_refused_at_once(world, refused, text):
    reason = refused(world.external_key(), SecretId=world.secret(text).name, SecretJsonKey="a")

    assert reason.startswith("SecretJsonKey: ")


# ----------------------------------------------------------------------------------------------- events that are, likewise


def nested(depth, inner="x"):
    for _ in range(depth):
        inner = [inner]
    return inner


NAMES = ["SecretVersionSta" + "".join(letters) for letters in itertools.product(string.ascii_uppercase, repeat=3)]


def test_a_flood_of_misspelt_properties_is_counted_and_not_compared_one_by_one(world, refused):
    reason = refused(world.external_key(), SecretId=world.secret(random_key(32)).name, **dict.fromkeys(NAMES, ""))

    assert reason.startswith("21 things are wrong. (1) SecretVersionStaAAA: There is no such property. Is it")
    assert (
        "(21) Properties: There are 17,556 more properties that are none of this resource's. Take them out." in reason
    )


@pytest.mark.parametrize(
    "declared",
    [
        {"PreviousSecretVersionIds": ["v" * 32] * 25_000},
        {"PreviousSecretVersionIds": [f"{number:032}" for number in range(25_000)]},
        {"KeyMaterialDescription": "a" * 900_000 + "!"},
        {"SecretVersionId": "a" * 900_000},
        {"ValidTo": "2030-01-31T12:00:00." + "0" * 900_000},
        {"ExpectedCheckValue": "CMAC:" + "0" * 900_000},
        {"SecretJsonKey": "{{resolve:" * 90_000},
        {"Trigger": nested(900)},
        {"SecretWrapping": {"Algorithm": nested(900), "KeyId": {"a": nested(900, "{{resolve:x}}")}}},
    ],
    ids=lambda declared: next(iter(declared)),
)
def test_a_property_without_an_end_is_refused_at_once(world, refused, declared):
    assert refused(world.external_key(), SecretId=world.secret(random_key(32)).name, **declared)
    assert len(world.bodies[-1]) <= 4096


def test_a_list_within_a_list_within_a_list_is_answered_as_a_failure(world):
    """No template is so deep. What is answered is dull; that it is answered, and nothing imported, counts."""
    answer = world.create(world.external_key(), SecretId="x", PreviousSecretVersionIds=nested(900))

    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith("not-imported:")
    assert world.changes() == 0


def test_a_service_timeout_without_an_end_does_not_block_a_delete(world):
    key = world.external_key()
    world.create(key, SecretId=world.secret(random_key(32)).name)
    world.before["Material"]["ServiceTimeout"] = nested(100_000)

    assert world.delete()["Status"] == "SUCCESS"
    assert world.state(key) == "PendingImport"
