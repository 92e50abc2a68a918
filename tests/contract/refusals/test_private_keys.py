"""Private keys that must not become a permanent key: a sentence for each kind of fault, through the whole function.

`test_material_*.py` try the checks themselves. The tests here show that the function makes each check.
"""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from lab.keys import der
from lab.keys.private_keys import (
    key_for,
    next_prime,
    pkcs8_der,
    pkcs8_pem,
    private_exponent,
    spki_der,
    traditional_pem,
)
from lab.keys.random_keys import random_key

P256, RSA, ED25519 = "ECC_NIST_P256", "RSA_2048", "ECC_NIST_EDWARDS25519"
ANOTHER_KEY = "Make a new key with a well-known generator, for example openssl genpkey."
THE_KEY_MEANT = "Name the secret that holds the right key, or a KMS key of the fitting key spec."
WANTED = "Store the private key in PKCS#8, PKCS#1 or SEC1, as PEM or DER."
ALONE = "Store only the block of the private key."


def block(label):
    return f"-----BEGIN {label}-----\nMIIB\n-----END {label}-----\n"


def good_pem():
    return pkcs8_pem(key_for(P256))


def close_primes():
    """p and q less than 2^924 apart: Fermat factors the modulus at once."""
    p = next_prime(1 << 1023 | 1 << 1022 | int.from_bytes(random_key(100)))
    q = next_prime(p + 2)
    return der.pkcs1(der.rsa_numbers(p, q, 65537, private_exponent(p, q)))


def damaged_modulus():
    numbers = key_for(RSA).private_numbers()
    given = der.rsa_numbers(numbers.p, numbers.q, 65537, numbers.d, n=numbers.public_numbers.n + 2)
    return der.pkcs1(given)


@pytest.mark.parametrize(
    ("spec", "value", "sentence"),
    [
        # --- what a PEM holds (rows 9 and 10)
        pytest.param(
            P256,
            lambda: good_pem() * 2,
            "The PEM holds 2 private keys, and a KMS key takes one. Store only the right one.",
            id="two keys",
        ),
        pytest.param(
            P256,
            lambda: good_pem() + block("CERTIFICATE"),
            f"The PEM holds a certificate. {ALONE}",
            id="a certificate beside it",
        ),
        pytest.param(P256, lambda: block("PUBLIC KEY"), f"The PEM holds a public key. {ALONE}", id="only a public key"),
        pytest.param(
            P256,
            lambda: block("OPENSSH PRIVATE KEY"),
            "The PEM holds an OpenSSH private key. Convert it first, for example: ssh-keygen -p -m PKCS8 -f key.",
            id="OpenSSH",
        ),
        pytest.param(
            P256,
            lambda: good_pem()[:-30],
            "The PEM is damaged: a BEGIN line has no matching END line. Store the whole PEM, with each BEGIN line "
            "and its END line.",
            id="cut off",
        ),
        pytest.param(
            P256,
            lambda: pkcs8_pem(key_for(P256), b"a password"),
            "The private key in the PEM is encrypted. Decrypt it before it is stored (openssl pkey -in encrypted.pem "
            "-out key.pem), and wrap it with a KMS key instead: SecretWrapping.",
            id="encrypted",
        ),
        # --- containers (rows 11, 18 and 19)
        pytest.param(
            P256, lambda: spki_der(key_for(P256)), f"The material is a public key. {WANTED}", id="a public key in DER"
        ),
        pytest.param(
            P256, lambda: random_key(32), f"The material is neither a PEM nor DER. {WANTED}", id="a bare private value"
        ),
        # --- the key spec's type, curve and size (rows 13 and 15)
        pytest.param(
            P256,
            lambda: pkcs8_pem(key_for("ECC_NIST_P384")),
            "The private key is an EC key on P-384, and an ECC_NIST_P256 key takes an EC key on P-256. "
            f"{THE_KEY_MEANT}",
            id="another curve",
        ),
        pytest.param(
            P256,
            lambda: traditional_pem(key_for(RSA)),
            "The private key is an RSA key of 2048 bits, and an ECC_NIST_P256 key takes an EC key on P-256. "
            f"{THE_KEY_MEANT}",
            id="RSA for a curve",
        ),
        pytest.param(
            RSA,
            lambda: pkcs8_pem(key_for("RSA_3072")),
            "The private key is an RSA key of 3072 bits, and an RSA_2048 key takes an RSA key of 2048 bits. "
            f"{THE_KEY_MEANT}",
            id="another size",
        ),
        pytest.param(
            ED25519,
            lambda: pkcs8_pem(x25519.X25519PrivateKey.generate()),
            "KMS takes no private keys of this algorithm. Name a secret with an RSA, EC or Ed25519 key.",
            id="X25519",
        ),
        # --- invalid or weak keys (rows 8, 14, 16, 19 and 20)
        pytest.param(
            RSA,
            damaged_modulus,
            "The private key is not a valid RSA key: its modulus is not the product of two primes, or its exponents "
            "and coefficient do not belong to them (RFC 8017, section 3.2). Name the secret with the undamaged key, "
            "or make a new one.",
            id="damaged",
        ),
        pytest.param(
            RSA,
            close_primes,
            "The RSA key's primes are so close to each other that Fermat's method finds them (FIPS 186-5, A.1.1). "
            f"{ANOTHER_KEY}",
            id="close primes",
        ),
        pytest.param(
            P256,
            lambda: pkcs8_pem(ec.derive_private_key(1, ec.SECP256R1())),
            "The private value is so close to zero, or to the order of the group, that it can be found by trying. "
            f"{ANOTHER_KEY}",
            id="the private value 1",
        ),
        pytest.param(
            ED25519,
            lambda: der.ed25519(bytes(32)),
            f"The private key's seed is not random: all of its bytes are equal. {ANOTHER_KEY}",
            id="a seed of zeros",
        ),
    ],
)
def test_a_private_key_that_breaks_a_rule_is_refused(world, refused, spec, value, sentence):
    reason = refused(world.external_key(spec), SecretId=world.secret(value()).name)

    assert reason == f"SecretId: {sentence}"


@pytest.mark.parametrize("spec", [P256, RSA, ED25519])
def test_another_private_key_than_the_check_value_s_is_refused(world, refused, spec):
    secret = world.secret(pkcs8_der(key_for(spec)))

    reason = refused(world.external_key(spec), SecretId=secret.name, ExpectedCheckValue=f"SHA256:{'0' * 64}")

    assert reason.startswith("ExpectedCheckValue: The public key's check value is SHA256:")
    assert reason.endswith(
        ", and another one is declared. Name the secret and version that hold the right key, or correct "
        "ExpectedCheckValue."
    )


def test_all_that_is_wrong_with_a_private_key_is_named_at_once(world, refused):
    key = ec.derive_private_key(1, ec.SECP384R1())

    reason = refused(
        world.external_key(P256), SecretId=world.secret(pkcs8_pem(key)).name, ExpectedCheckValue=f"SHA256:{'0' * 64}"
    )

    assert reason.startswith("3 things are wrong. (1) SecretId: The private key is an EC key on P-384, and ")
    assert "(2) SecretId: The private value is so close to zero, " in reason
    assert "(3) ExpectedCheckValue: The public key's check value is SHA256:" in reason
