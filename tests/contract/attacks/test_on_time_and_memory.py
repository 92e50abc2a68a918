"""Attacks that want the function to hang, to loop, or to use up its memory, and the sentence that refuses each.

test_hostile_input.py measures how much each may take. The processor's time and the log have a limit here, too.
"""

import itertools
import math
import string
import time

import pytest

from lab.hostile.row import mersenne, nested
from lab.keys import der
from lab.keys.random_keys import random_key

PROCESSOR_SECONDS = 10.0
LOG_MOST_CHARACTERS = 20_000
DSA = "1.2.840.10040.4.1"
KEY_MEANT = "Name the secret with a key of the KMS key's own size."


@pytest.fixture(autouse=True)
def at_once(world):
    """Each of these tests must end soon, with a short log."""
    before = time.process_time()
    yield
    assert time.process_time() - before < PROCESSOR_SECONDS
    assert len(world.log.getvalue()) < LOG_MOST_CHARACTERS


# --------------------------------------------------------------------------------- private keys whose numbers have no end


def rsa_numbers(p, q):
    """A key that is valid in every respect, but the library needs minutes to hours to find that out."""
    least = math.lcm(p - 1, q - 1)
    e = next(e for e in range(65537, 70000, 2) if math.gcd(e, least) == 1)
    return der.rsa_numbers(p, q, e, pow(e, -1, least))


def in_pkcs8(numbers):
    return der.pkcs8(der.ID_RSA, der.null(), der.pkcs1(numbers))


def too_large(what, bits, most_bits):
    return (
        f"SecretId: The RSA key's {what} has {bits:,} bits, and the {what} of the largest key that KMS takes, RSA_4096, has "
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
        "SecretId: KMS takes no private keys of this algorithm. Name a secret with an RSA, EC or Ed25519 key."
    )


def test_the_largest_rsa_key_that_kms_takes_is_not_hit_by_the_limit(world, refused):
    """4,096 bits, and invalid: the library says so at once, so the error is another one."""
    numbers = der.rsa_numbers(mersenne(2048), mersenne(2048) - 2, 65537, 5)

    reason = refused(world.external_key("RSA_4096"), SecretId=world.secret(der.pkcs1(numbers)).name)

    assert reason.startswith("SecretId: The private key is not a valid RSA key")


# --------------------------------------------------------------------------------------------------- events that are large


NAMES = ["SecretVersionSta" + "".join(letters) for letters in itertools.product(string.ascii_uppercase, repeat=3)]


def test_a_flood_of_misspelt_properties_is_counted_and_not_compared_one_by_one(world, refused):
    reason = refused(world.external_key(), SecretId=world.secret(random_key(32)).name, **dict.fromkeys(NAMES, ""))

    assert reason.startswith("21 things are wrong. (1) SecretVersionStaAAA: There is no such property. Is it")
    assert (
        "(21) Properties: There are 17,556 more properties that this resource does not have. Take them out." in reason
    )


@pytest.mark.parametrize("item", ["v", "v" * 32, 1, 2**61 - 1, [], {}], ids=str)
def test_a_list_that_is_too_long_is_one_fault(world, refused, item):
    """200,000 short items, each with its own fault, took 400 MB and 29 million characters of log."""
    secret = world.secret(random_key(32)).name

    assert refused(world.external_key(), SecretId=secret, PreviousSecretVersionIds=[item] * 25_000) == (
        "PreviousSecretVersionIds: The value does not fit the property's rule. It must be a list of 1 to 25 different "
        "version ids of the secret."
    )


def test_a_list_with_many_faults_is_reported_in_few_words(world, refused):
    secret = world.secret(random_key(32)).name

    reason = refused(
        world.external_key(), SecretId=secret, PreviousSecretVersionIds=["v" * 9_000 + str(n) for n in range(25)]
    )

    assert reason.startswith("25 things are wrong. (1) PreviousSecretVersionIds.0: The value does not fit")
    assert reason.endswith(" 15 more are not listed here.")


def test_lists_within_lists_are_one_fault(world, refused):
    secret = world.secret(random_key(32)).name

    assert refused(world.external_key(), SecretId=secret, PreviousSecretVersionIds=nested(900)) == (
        "PreviousSecretVersionIds.0: The value does not fit the property's rule. It must be a version id of the secret, 32 to "
        "64 characters."
    )
