"""RSA keys: rows 14 to 17. What the library verifies, and what it loads although the key is weak or of another size."""

from collections.abc import Callable
from math import gcd, isqrt

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from imported_key_material.errors import Refused
from imported_key_material.material import private_key
from imported_key_material.material.key_specs import KEY_SPECS, KeySpec
from imported_key_material.material.material_check import check
from lab.keys import der
from lab.keys.openssl import openssl
from lab.keys.private_keys import next_prime, pkcs8_der, private_exponent, rsa_key, spki_der, traditional_der
from tests.support.traces import assert_untraceable

RSA_2048 = KEY_SPECS["RSA_2048"]
RSA_3072 = KEY_SPECS["RSA_3072"]
E = 65537

NOT_VALID = (
    "SecretId: The private key is not a valid RSA key: its modulus is not the product of two primes, or its exponents and "
    "coefficient do not belong to them (RFC 8017, section 3.2). Name the secret with the undamaged key, or make a new one."
)
MORE_PRIMES = (
    "SecretId: The material is a PKCS#1 private key of more than two primes. "
    "Make an RSA key of two primes: KMS takes no other."
)
ANOTHER = "Make a new key with a well-known generator, for example openssl genpkey."
CLOSE = (
    "SecretId: The RSA key's primes are so close to each other that Fermat's method finds them (FIPS 186-5, A.1.1). "
    f"{ANOTHER}"
)
UNBALANCED = f"SecretId: The RSA key's primes are not both half as long as the modulus (FIPS 186-5, A.1.1). {ANOTHER}"
SMALL_D = f"SecretId: The RSA key's private exponent is so small that it can be found (FIPS 186-5, A.1.1). {ANOTHER}"
LARGE_E = f"SecretId: The RSA key's public exponent is 2^256 or more (FIPS 186-5, A.1.1). {ANOTHER}"
LARGE_D = (
    "SecretId: The RSA key's private exponent is not below the modulus (RFC 8017, section 3.2). "
    "Write the key again with a program that reduces it, or make a new one."
)


def numbers() -> tuple[int, int, int]:
    """p, q and d of a good key."""
    private = rsa_key().private_numbers()
    return private.p, private.q, private.d


def refusal(source: bytes, spec: KeySpec = RSA_2048) -> str:
    p, q, _d = numbers()
    with pytest.raises(Refused) as refused:
        check(source, spec)
    assert refused.value.__context__ is None
    assert_untraceable(refused.value, source, p.to_bytes(128, "big"), q.to_bytes(128, "big"), str(p), str(q))
    return str(refused.value)


def in_pkcs8(pkcs1: bytes) -> bytes:
    return der.pkcs8(der.ID_RSA, der.null(), pkcs1)


def weak(p: int, q: int, e: int = E, d: int | None = None) -> bytes:
    """A key that the library accepts as valid."""
    return der.pkcs1(der.rsa_numbers(p, q, e, private_exponent(p, q, e) if d is None else d))


# ------------------------------------------------------------------------------------------------ row 14: a valid key


def test_a_good_key_goes_out_with_its_exponent_and_its_primes_in_their_order() -> None:
    p, q, d = numbers()
    assert check(weak(p, q, d=d), RSA_2048).encoded == in_pkcs8(der.pkcs1(der.rsa_numbers(p, q, E, d)))
    swapped = der.rsa_numbers(q, p, E, d)
    assert check(der.pkcs1(swapped), RSA_2048).encoded == in_pkcs8(der.pkcs1(swapped))
    modulo_phi = pow(E, -1, (p - 1) * (q - 1))
    larger = der.rsa_numbers(p, q, E, modulo_phi)
    assert check(der.pkcs1(larger), RSA_2048).encoded == in_pkcs8(der.pkcs1(larger))


def composite() -> int:
    """A number of 1024 bits that is no prime; the other numbers can be made to fit."""
    r, s = next_prime(3 << 510), next_prime(7 << 509)
    assert (r * s).bit_length() == 1024
    assert gcd(E, r * s - 1) == 1
    return r * s


def damaged() -> dict[str, tuple[int, ...]]:
    p, q, d = numbers()
    good = der.rsa_numbers(p, q, E, d)
    return {
        "n is not pq": (good[0] + 2, *good[1:]),
        "d belongs to another e": (*good[:2], d + 2, *good[3:]),
        "dp": (*good[:5], good[5] + 2, *good[6:]),
        "dq": (*good[:6], good[6] + 2, good[7]),
        "qi": (*good[:7], good[7] + 1),
        "e is 1": (good[0], 1, 1, *good[3:]),
        "e is even": (good[0], E + 1, *good[2:]),
        "p is not prime": der.rsa_numbers(composite(), q, E, private_exponent(composite(), q)),
        "p and q are the same": der.rsa_numbers(p, p, E, pow(E, -1, (p - 1) * p), qi=1),
        "all are zero": (0,) * 8,
    }


@pytest.mark.parametrize("what", list(damaged()))
def test_a_key_whose_numbers_do_not_belong_together_is_refused(what: str) -> None:
    pkcs1 = der.pkcs1(damaged()[what])
    assert refusal(pkcs1) == NOT_VALID
    assert refusal(in_pkcs8(pkcs1)) == NOT_VALID


def test_a_key_of_three_primes_is_refused() -> None:
    options = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_primes:3")
    pkcs8 = openssl("genpkey", *options, "-outform", "DER")
    traditional = openssl(
        "rsa", "-traditional", "-outform", "DER", stdin=openssl("pkey", "-inform", "DER", stdin=pkcs8)
    )
    for source in (pkcs8, traditional):
        assert refusal(source) == MORE_PRIMES


def test_a_version_that_says_more_primes_where_there_are_none_is_refused() -> None:
    p, q, d = numbers()
    assert refusal(der.pkcs1(der.rsa_numbers(p, q, E, d), version=1)) == MORE_PRIMES


def test_a_private_exponent_of_the_modulus_or_more_is_refused() -> None:
    """It decrypts all the same, and the library loads it."""
    p, q, d = numbers()
    period = (p - 1) * (q - 1)
    assert refusal(weak(p, q, d=d + 4 * period)) == LARGE_D
    assert refusal(in_pkcs8(weak(p, q, d=d + 4 * period))) == LARGE_D


def test_a_public_exponent_of_256_bits_is_taken_and_one_of_257_bits_is_refused() -> None:
    p, q, _d = numbers()
    for bits, taken in ((256, True), (257, False)):
        e = next_prime((1 << bits - 1) + 12345)
        assert e.bit_length() == bits
        if taken:
            assert check(weak(p, q, e), RSA_2048).public_exponent == e
        else:
            assert refusal(weak(p, q, e)) == LARGE_E


NUMBERS = {
    "modulus": 4096,
    "public exponent": 4096,
    "private exponent": 4096,
    "first prime": 2048,
    "second prime": 2048,
    "first CRT exponent": 2048,
    "second CRT exponent": 2048,
    "CRT coefficient": 2048,
}


@pytest.mark.parametrize("what", NUMBERS)
@pytest.mark.parametrize("container", [lambda pkcs1: pkcs1, in_pkcs8], ids=["PKCS#1", "PKCS#8"])
@pytest.mark.parametrize("more_bits", [1, 8, 500_000])
def test_a_number_that_is_longer_than_any_kms_takes_is_refused_before_the_library_sees_it(
    what: str, container: Callable[[bytes], bytes], more_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(private_key, "load_der_private_key")
    bits = NUMBERS[what] + more_bits
    numbers = (1 << bits - 1 if name == what else 3 for name in NUMBERS)
    assert refusal(container(der.pkcs1(numbers))) == (
        f"SecretId: The RSA key's {what} has {bits:,} bits, and the {what} of the largest key that KMS takes, RSA_4096, has "
        f"{NUMBERS[what]:,} at most. Name the secret with a key of the KMS key's own size."
    )


@pytest.mark.parametrize("container", [lambda pkcs1: pkcs1, in_pkcs8], ids=["PKCS#1", "PKCS#8"])
def test_the_largest_numbers_there_may_be_are_the_library_s_to_judge(container: Callable[[bytes], bytes]) -> None:
    """The library needs milliseconds: no two of the numbers belong together."""
    assert refusal(container(der.pkcs1((1 << bits) - 1 for bits in NUMBERS.values()))) == NOT_VALID


# ------------------------------------------------------------------------------------------------------- row 15: size


@pytest.mark.parametrize("bits", [1024, 2046, 2056])
def test_a_modulus_of_another_size_is_refused(bits: int) -> None:
    source = pkcs8_der(rsa.generate_private_key(E, bits))
    assert refusal(source) == (
        f"SecretId: The private key is an RSA key of {bits} bits, and an RSA_2048 key takes an RSA key of 2048 bits. "
        "Name the secret that holds the right key, or a KMS key of the fitting key spec."
    )


def test_a_modulus_one_bit_short_is_refused_only_for_that() -> None:
    """Two small primes of half the length can make such a modulus; generators avoid that."""
    p = next_prime((1 << 1023) + (1 << 1000))
    q = next_prime((1 << 1023) + (1 << 1020))
    assert (p * q).bit_length() == 2047
    assert refusal(weak(p, q)) == (
        "SecretId: The private key is an RSA key of 2047 bits, and an RSA_2048 key takes an RSA key of 2048 bits. "
        "Name the secret that holds the right key, or a KMS key of the fitting key spec."
    )


def test_a_good_key_for_another_key_spec_is_refused() -> None:
    assert refusal(pkcs8_der(rsa_key()), RSA_3072).startswith(
        "SecretId: The private key is an RSA key of 2048 bits, and an RSA_3072 key takes an RSA key of 3072 bits."
    )


# ------------------------------------------------------------------------------------------------------- row 16: weak


def test_primes_that_are_close_to_each_other_are_refused() -> None:
    """abs(p - q) must be above 2^(n/2 - 100); the next prime is far below."""
    p = next_prime(3 << 1022)
    assert refusal(weak(next_prime(p + 2), p)) == CLOSE
    assert refusal(weak(p, next_prime(p + (1 << 924) - (1 << 900)))) == CLOSE
    just_far_enough = next_prime(p + (1 << 924) + 1)
    assert check(weak(p, just_far_enough), RSA_2048).public_exponent == E


def test_fermats_method_does_factor_what_is_refused_as_close() -> None:
    """Why the rule is there."""
    p = next_prime(3 << 1022)
    q = next_prime(p + 2)
    root = isqrt(p * q - 1) + 1
    half_difference = isqrt(root * root - p * q)
    assert {root - half_difference, root + half_difference} == {p, q}


def test_primes_of_unequal_length_are_refused() -> None:
    p = next_prime(3 << 1032)
    q = next_prime((1 << 1014) - (1 << 1000))
    assert ((p * q).bit_length(), p.bit_length(), q.bit_length()) == (2048, 1034, 1014)
    assert refusal(weak(p, q)) == UNBALANCED


def test_a_small_private_exponent_is_refused() -> None:
    """A small d needs a large e, unless p - 1 and q - 1 have much in common; so there are two faults."""
    p, q, _d = numbers()
    d = next_prime(1 << 1020)
    e = pow(d, -1, (p - 1) * (q - 1))
    assert refusal(weak(p, q, e, d)) == f"2 things are wrong. (1) {LARGE_E} (2) {SMALL_D}"


def test_a_weak_key_of_another_size_has_all_its_faults() -> None:
    p = next_prime(3 << 510)
    sentence = refusal(weak(next_prime(p + 2), p))
    assert sentence.startswith("2 things are wrong. (1) SecretId: The private key is an RSA key of 1024 bits")
    assert sentence.endswith(f"(2) {CLOSE}")


# --------------------------------------------------------------------------------------------------- row 17: e as it is


def test_a_public_exponent_of_3_is_taken_as_it_is_and_can_be_named_if_kms_refuses() -> None:
    key = rsa_key(2048, 3)
    material = check(traditional_der(key), RSA_2048)
    assert (bytes(material.encoded), material.public_key) == (pkcs8_der(key), spki_der(key))
    assert material.public_exponent == 3
    assert check(pkcs8_der(rsa_key()), RSA_2048).public_exponent == E
