"""Wrapping and unwrapping: published vectors, OpenSSL for the other side, and an error for each trap."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap, aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from imported_key_material.errors import Refused
from imported_key_material.material import wrapping
from imported_key_material.material.key_specs import WRAPPING_ALGORITHMS
from imported_key_material.material.wrapping import split_rsa_aes, unwrap_with_aes, wrap
from lab.keys.by_hand import oaep, unwrap
from lab.keys.openssl import openssl
from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem, rsa_key
from lab.keys.random_keys import random_key
from tests.support.traces import assert_untraceable
from tests.support.vectors import vectors

MODULUS_BYTES = 256
OPENSSL_HASH = {
    "RSAES_OAEP_SHA_1": "sha1",
    "RSAES_OAEP_SHA_256": "sha256",
    "RSA_AES_KEY_WRAP_SHA_1": "sha1",
    "RSA_AES_KEY_WRAP_SHA_256": "sha256",
}
OAEP_ALGORITHMS = [name for name in WRAPPING_ALGORITHMS if name.startswith("RSAES")]
AES_WRAP_ALGORITHMS = [name for name in WRAPPING_ALGORITHMS if name.startswith("RSA_AES")]


@pytest.fixture(scope="module")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """private.pem and public.pem of an RSA key, for OpenSSL; removed after the tests."""
    folder = tmp_path_factory.mktemp("wrapping-key")
    (folder / "private.pem").write_text(pkcs8_pem(rsa_key()))
    public_key = rsa_key().public_key()
    (folder / "public.pem").write_bytes(public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return folder


def oaep_options(algorithm: str) -> list[str]:
    hash_ = OPENSSL_HASH[algorithm]
    options = ("rsa_padding_mode:oaep", f"rsa_oaep_md:{hash_}", f"rsa_mgf1_md:{hash_}")
    return [word for option in options for word in ("-pkeyopt", option)]


def openssl_encrypt(folder: Path, algorithm: str, data: bytes) -> bytes:
    arguments = ("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", *oaep_options(algorithm))
    return openssl(*arguments, stdin=data, cwd=folder)


def openssl_decrypt(folder: Path, algorithm: str, data: bytes) -> bytes:
    arguments = ("pkeyutl", "-decrypt", "-inkey", "private.pem", *oaep_options(algorithm))
    return openssl(*arguments, stdin=data, cwd=folder)


def openssl_key_wrap(aes_key: bytes, data: bytes, direction: str = "-e") -> bytes:
    cipher = f"-id-aes{8 * len(aes_key)}-wrap-pad"
    return openssl("enc", direction, cipher, "-K", aes_key.hex(), "-iv", "A65959A6", stdin=data)


# --------------------------------------------------------------------------------------------------- published vectors


@pytest.mark.parametrize(
    ("material", "wrapped"),
    [
        (
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
        ),
        ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
    ],
)
def test_the_examples_of_rfc_5649_unwrap(material: str, wrapped: str) -> None:
    """RFC 5649, section 6: 20 bytes and 7 bytes under a 192-bit key."""
    aes_key = bytes.fromhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
    assert unwrap_with_aes(aes_key, bytes.fromhex(wrapped)).hex() == material
    assert aes_key_wrap_with_padding(aes_key, bytes.fromhex(material)).hex() == wrapped


@pytest.mark.parametrize("case", list(vectors("nist_kwp.txt")), ids=lambda case: case["K"].hex()[:8])
def test_nists_vectors_unwrap_or_fail_as_published(case: dict[str, bytes]) -> None:
    if "FAIL" not in case:
        assert unwrap_with_aes(case["K"], case["C"]) == case["P"]
        assert aes_key_wrap_with_padding(case["K"], case["P"]) == case["C"]
        return
    with pytest.raises(Refused, match=r"^SecretId: The material does not open under the AES key in the RSA block: "):
        unwrap_with_aes(case["K"], case["C"])


def test_nists_vectors_are_of_all_three_key_lengths_and_hold_failures() -> None:
    cases = list(vectors("nist_kwp.txt"))
    assert {len(case["K"] or b"") for case in cases if "FAIL" in case} == {16, 24, 32}
    assert {len(case["K"] or b"") for case in cases if "FAIL" not in case} == {16, 24, 32}


# ---------------------------------------------------------------------------------------------------------- round trips


@settings(max_examples=30, deadline=None)
@given(algorithm=st.sampled_from(WRAPPING_ALGORITHMS), material=st.binary(min_size=1, max_size=190))
def test_what_is_wrapped_unwraps(algorithm: str, material: bytes) -> None:
    wrapped = wrap(algorithm, rsa_key().public_key(), bytearray(material))
    assert material not in wrapped or len(material) < 8
    assert unwrap(algorithm, rsa_key(), wrapped) == material


@pytest.mark.parametrize("algorithm", AES_WRAP_ALGORITHMS)
def test_an_rsa_key_travels_in_an_aes_block_behind_the_rsa_block(algorithm: str) -> None:
    material = pkcs8_der(key_for("RSA_2048"))
    wrapped = wrap(algorithm, rsa_key().public_key(), material)
    assert len(wrapped) == MODULUS_BYTES + 8 * -(-len(material) // 8) + 8
    assert unwrap(algorithm, rsa_key(), wrapped) == material


@pytest.mark.parametrize("algorithm", AES_WRAP_ALGORITHMS)
def test_each_trip_has_an_aes_key_of_its_own_of_256_bits(algorithm: str) -> None:
    keys = set()
    for _ in range(3):
        rsa_block, aes_block = split_rsa_aes(wrap(algorithm, rsa_key().public_key(), b"same"), MODULUS_BYTES)
        aes_key = rsa_key().decrypt(rsa_block, oaep(algorithm))
        assert unwrap_with_aes(aes_key, aes_block) == b"same"
        keys.add(aes_key)
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 3


# ------------------------------------------------------------------------------------------- OpenSSL on the other side


@pytest.mark.parametrize("algorithm", OAEP_ALGORITHMS)
def test_openssl_opens_what_was_wrapped_by_oaep(key_files: Path, algorithm: str) -> None:
    material = random_key(128)
    wrapped = wrap(algorithm, rsa_key().public_key(), material)
    assert openssl_decrypt(key_files, algorithm, wrapped) == material


@pytest.mark.parametrize("algorithm", AES_WRAP_ALGORITHMS)
def test_openssl_opens_both_blocks(key_files: Path, algorithm: str) -> None:
    material = pkcs8_der(key_for("ECC_NIST_P521"))
    rsa_block, aes_block = split_rsa_aes(wrap(algorithm, rsa_key().public_key(), material), MODULUS_BYTES)
    aes_key = openssl_decrypt(key_files, algorithm, rsa_block)
    assert openssl_key_wrap(aes_key, aes_block, "-d") == material


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("algorithm", AES_WRAP_ALGORITHMS)
def test_both_blocks_made_by_openssl_open_with_any_aes_key(key_files: Path, algorithm: str, size: int) -> None:
    material, aes_key = pkcs8_der(key_for("ECC_NIST_P384")), random_key(size)
    wrapped = openssl_encrypt(key_files, algorithm, aes_key) + openssl_key_wrap(aes_key, material)
    rsa_block, aes_block = split_rsa_aes(wrapped, MODULUS_BYTES)
    assert rsa_key().decrypt(rsa_block, oaep(algorithm)) == aes_key
    assert unwrap_with_aes(aes_key, aes_block) == material


@pytest.mark.parametrize("length", [1, 7, 8, 9, 32, 1217])
def test_openssl_wraps_every_length_alike(length: int) -> None:
    aes_key, material = random_key(32), random_key(length)
    assert openssl_key_wrap(aes_key, material) == aes_key_wrap_with_padding(aes_key, material)
    assert unwrap_with_aes(aes_key, openssl_key_wrap(aes_key, material)) == material


# ------------------------------------------------------------------------------------------------------------ refusals

CANARY = random_key(32)


@pytest.mark.parametrize("aes_block_bytes", [-256, -1, 0, 8, 17, 20, 23])
def test_a_length_that_two_blocks_can_not_have_is_refused(aes_block_bytes: int) -> None:
    wrapped = bytes(MODULUS_BYTES + aes_block_bytes)
    with pytest.raises(Refused) as refused:
        split_rsa_aes(wrapped, MODULUS_BYTES)
    assert str(refused.value) == (
        f"SecretId: The wrapped material is {len(wrapped)} bytes long, and the RSA_AES_KEY_WRAP algorithms give 256 under "
        "this RSA key, and a multiple of 8 behind them, 16 or more. "
        "Store both blocks, the RSA block first, wrapped under this key. If it was wrapped by RSA only, the "
        "algorithm is RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1; a TR-31 key block can't be unwrapped here."
    )


def test_the_shortest_pair_of_blocks_is_split_where_the_modulus_ends() -> None:
    wrapped = random_key(MODULUS_BYTES + 16)
    assert split_rsa_aes(wrapped, MODULUS_BYTES) == (wrapped[:MODULUS_BYTES], wrapped[MODULUS_BYTES:])


@pytest.mark.parametrize("size", [0, 15, 17, 31, 33, 48, 128])
def test_what_is_no_aes_key_is_refused_by_its_length(size: int) -> None:
    with pytest.raises(Refused) as refused:
        unwrap_with_aes(random_key(size) if size else b"", bytes(40))
    assert str(refused.value) == (
        f"SecretId: The RSA block holds {size} bytes, and an AES key has 16, 24 or 32. "
        "Wrap an AES key by RSA, and the material under that AES key. If the material itself was wrapped by RSA, the "
        "algorithm is RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1."
    )


def pkcs7(material: bytes) -> bytes:
    missing = 8 - len(material) % 8
    return material + bytes([missing]) * missing


@pytest.mark.parametrize("length", [16, 20, 23, 138])
def test_rfc_3394_with_pkcs7_padding_is_refused_by_its_name(length: int) -> None:
    aes_key, material = random_key(32), random_key(length)
    block = aes_key_wrap(aes_key, pkcs7(material))
    with pytest.raises(Refused) as refused:
        unwrap_with_aes(aes_key, block)
    assert str(refused.value) == (
        "SecretId: The material is wrapped by RFC 3394 with PKCS#7 padding, and not by RFC 5649. "
        "Some HSMs mean that by CKM_AES_KEY_WRAP_PAD: wrap it with CKM_AES_KEY_WRAP_KWP, or with CKM_RSA_AES_KEY_WRAP as a "
        "whole."
    )
    assert refused.value.__context__ is None
    assert_untraceable(refused.value, material, aes_key)


@pytest.mark.parametrize("end", [b"\x09", b"\x00", b"\x01\x02", b"\x02\x01\x03"])
def test_rfc_3394_without_padding_is_refused_by_its_name(end: bytes) -> None:
    """`end`: no PKCS#7 padding, however much it may look like some."""
    aes_key, material = random_key(32), random_key(32)[len(end) :] + end
    with pytest.raises(Refused) as refused:
        unwrap_with_aes(aes_key, aes_key_wrap(aes_key, material))
    assert str(refused.value) == (
        "SecretId: The material is wrapped by RFC 3394 without padding, and not by RFC 5649. CKM_AES_KEY_WRAP does that: wrap "
        "it with CKM_AES_KEY_WRAP_KWP, or with CKM_RSA_AES_KEY_WRAP as a whole."
    )
    assert refused.value.__context__ is None
    assert_untraceable(refused.value, material, aes_key)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        bytes(8),
        bytes(15),
        bytes(40),
        aes_key_wrap_with_padding(random_key(32)[::-1], CANARY),  # under another key
        aes_key_wrap_with_padding(CANARY, CANARY)[:-8],
    ],
)
def test_a_block_that_does_not_open_is_refused_with_the_traps(block: bytes) -> None:
    with pytest.raises(Refused) as refused:
        unwrap_with_aes(CANARY, block)
    assert str(refused.value) == (
        "SecretId: The material does not open under the AES key in the RSA block: it was not wrapped by RFC 5649, or "
        "was changed. Wrap it with CKM_RSA_AES_KEY_WRAP or CKM_AES_KEY_WRAP_KWP (OpenSSL: -id-aes256-wrap-pad), "
        "under the AES key that is in the RSA block, and store the RSA block first."
    )
    assert refused.value.__context__ is None
    assert_untraceable(refused.value, CANARY)


@pytest.mark.parametrize("algorithm", OAEP_ALGORITHMS)
def test_material_that_oaep_can_not_carry_is_not_wrapped(algorithm: str) -> None:
    most_bytes = 214 if algorithm.endswith("_SHA_1") else 190
    assert wrap(algorithm, rsa_key().public_key(), bytes(most_bytes))
    with pytest.raises(Refused) as refused:
        wrap(algorithm, rsa_key().public_key(), bytes(most_bytes + 1))
    assert str(refused.value) == (
        f"WrappingAlgorithm: OAEP under this wrapping public key carries {most_bytes} bytes at most, and the material has "
        f"{most_bytes + 1}. Use a larger wrapping public key, or RSA_AES_KEY_WRAP_SHA_256."
    )


@pytest.mark.parametrize("algorithm", ["RSAES_PKCS1_V1_5", "SM2PKE", ""])
def test_an_algorithm_that_is_none_of_the_four_is_refused(algorithm: str) -> None:
    with pytest.raises(Refused) as refused:
        wrap(algorithm, rsa_key().public_key(), CANARY)
    assert str(refused.value) == (
        "WrappingAlgorithm: The value is not a known wrapping algorithm. Set one of RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, "
        "RSA_AES_KEY_WRAP_SHA_1, RSA_AES_KEY_WRAP_SHA_256."
    )


# ------------------------------------------------------------------------------------------- the AES key's short life


@pytest.mark.parametrize("algorithm", AES_WRAP_ALGORITHMS)
def test_the_aes_key_is_wiped_when_it_has_served(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytearray] = []
    encrypt = wrapping._encrypt

    def watching(public_key: Any, aes_key: bytearray, hash_: Any, where: str) -> bytes:
        seen.append(aes_key)
        assert aes_key != bytearray(32)
        return encrypt(public_key, aes_key, hash_, where)

    monkeypatch.setattr(wrapping, "_encrypt", watching)
    assert unwrap(algorithm, rsa_key(), wrap(algorithm, rsa_key().public_key(), CANARY)) == CANARY
    assert seen == [bytearray(32)]
