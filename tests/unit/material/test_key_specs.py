"""The table of key specs, and the choice of the wrapping (row 22 of the checks: what KMS allows, and what fits)."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP

from imported_key_material.errors import Refused
from imported_key_material.material.key_specs import (
    KEY_SPECS,
    OAEP_CAPACITY_BYTES,
    WRAPPING_ALGORITHMS,
    WRAPPING_KEY_SPECS,
    CipherKey,
    EcKey,
    Kind,
    MacKey,
    choose_wrapping,
    key_spec,
)
from lab.keys import der
from lab.keys.private_keys import CURVES, key_for, pkcs8_der, rsa_key

OAEP_1, OAEP_256, WRAP_1, WRAP_256 = (
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
)


def test_the_thirteen_importable_key_specs_are_known() -> None:
    assert list(KEY_SPECS) == [
        "SYMMETRIC_DEFAULT",
        "HMAC_224",
        "HMAC_256",
        "HMAC_384",
        "HMAC_512",
        "RSA_2048",
        "RSA_3072",
        "RSA_4096",
        "ECC_NIST_P256",
        "ECC_NIST_P384",
        "ECC_NIST_P521",
        "ECC_SECG_P256K1",
        "ECC_NIST_EDWARDS25519",
    ]
    assert all(key_spec(name) is spec for name, spec in KEY_SPECS.items())


@pytest.mark.parametrize(
    ("names", "kind", "usages", "wrapping"),
    [
        ("SYMMETRIC_DEFAULT", Kind.SYMMETRIC, {"ENCRYPT_DECRYPT"}, {OAEP_1, OAEP_256}),
        ("HMAC_224 HMAC_256 HMAC_384 HMAC_512", Kind.HMAC, {"GENERATE_VERIFY_MAC"}, {OAEP_1, OAEP_256}),
        ("RSA_2048 RSA_3072 RSA_4096", Kind.RSA, {"ENCRYPT_DECRYPT", "SIGN_VERIFY"}, {WRAP_1, WRAP_256}),
        (
            "ECC_NIST_P256 ECC_NIST_P384 ECC_NIST_P521",
            Kind.EC,
            {"SIGN_VERIFY", "KEY_AGREEMENT"},
            {OAEP_1, OAEP_256, WRAP_1, WRAP_256},
        ),
        ("ECC_SECG_P256K1", Kind.EC, {"SIGN_VERIFY"}, {OAEP_1, OAEP_256, WRAP_1, WRAP_256}),
        ("ECC_NIST_EDWARDS25519", Kind.EDWARDS, {"SIGN_VERIFY"}, {OAEP_1, OAEP_256, WRAP_1, WRAP_256}),
    ],
)
def test_kind_usage_and_wrapping_are_those_of_kms(names: str, kind: Kind, usages: set[str], wrapping: set[str]) -> None:
    for name in names.split():
        spec = KEY_SPECS[name]
        assert (spec.kind, set(spec.usages), set(spec.wrapping)) == (kind, usages, wrapping)


def test_secret_keys_have_the_length_that_kms_asks_for() -> None:
    lengths = {n: s.form.size_bytes for n, s in KEY_SPECS.items() if isinstance(s.form, CipherKey | MacKey)}
    assert lengths == {"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}


def test_the_mac_algorithm_is_the_one_that_the_key_spec_binds() -> None:
    algorithms = {name: spec.mac_algorithm for name, spec in KEY_SPECS.items() if spec.mac_algorithm}
    assert algorithms == {
        "HMAC_224": "HMAC_SHA_224",
        "HMAC_256": "HMAC_SHA_256",
        "HMAC_384": "HMAC_SHA_384",
        "HMAC_512": "HMAC_SHA_512",
    }


@pytest.mark.parametrize("name", list(CURVES))
def test_a_curve_has_its_own_object_identifier_and_length(name: str) -> None:
    oids = {
        "ECC_NIST_P256": der.P256,
        "ECC_NIST_P384": der.P384,
        "ECC_NIST_P521": der.P521,
        "ECC_SECG_P256K1": der.P256K1,
    }
    form = KEY_SPECS[name].form
    assert isinstance(form, EcKey)
    assert form.oid == der.oid(oids[name])
    assert form.oid in pkcs8_der(key_for(name))  # as the library writes it
    assert form.scalar_bytes == {"ECC_NIST_P384": 48, "ECC_NIST_P521": 66}.get(name, 32)


# --------------------------------------------------------------------------------------------------- what KMS does not take


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "ML_DSA_65",
            "The key's spec is ML_DSA_65. KMS takes no imported material for ML-DSA keys. Name a key of another",
        ),
        (
            "ML_KEM_768",
            "The key's spec is ML_KEM_768. KMS takes no imported material for ML-KEM keys. Name a key of another",
        ),
        (
            "SM2",
            (
                "The key's spec is SM2. SM2 keys, which exist only in China, are not imported by this resource. "
                "Name a key of another"
            ),
        ),
        ("RSA_1024", "The key's spec is not one that this resource knows. Name a key of a known"),
        ("", "The key's spec is not one that this resource knows. Name a key of a known"),
        ("symmetric_default", "The key's spec is not one that this resource knows. Name a key of a known"),
    ],
)
def test_a_key_spec_that_takes_no_import_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        key_spec(name)
    assert str(refused.value) == (
        f"KeyId: {sentence} key spec: symmetric, HMAC, RSA, ECC_NIST_P256, _P384, _P521, ECC_SECG_P256K1 and "
        "ECC_NIST_EDWARDS25519."
    )


# ---------------------------------------------------------------------------------------------------------------- China


def test_in_china_a_symmetric_key_is_an_sm4_key_of_16_bytes() -> None:
    spec = key_spec("SYMMETRIC_DEFAULT", partition="aws-cn")
    assert spec.form == CipherKey(16, "SM4")
    assert spec.wrapping == (OAEP_256, OAEP_1)


def test_in_china_an_rsa_key_is_refused_because_only_sm2pke_wraps_it() -> None:
    with pytest.raises(Refused) as refused:
        key_spec("RSA_3072", partition="aws-cn")
    assert str(refused.value) == (
        "KeyId: The key's spec is RSA_3072, and in China KMS takes RSA private keys wrapped with SM2PKE only. "
        "This resource has no SM2PKE: import this key by hand."
    )


def test_in_china_an_ec_key_is_wrapped_only_by_oaep() -> None:
    spec = key_spec("ECC_NIST_P256", partition="aws-cn")
    assert spec.wrapping == (OAEP_256, OAEP_1)
    with pytest.raises(Refused) as refused:
        choose_wrapping(spec, algorithm=WRAP_256, wrapping_key_spec="RSA_4096", size_bytes=138)
    assert str(refused.value) == (
        "WrappingAlgorithm: KMS does not take RSA_AES_KEY_WRAP_SHA_256 for ECC_NIST_P256 keys here. "
        "Set one of RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, or leave WrappingAlgorithm out."
    )


def test_in_china_p521_under_a_small_wrapping_key_has_one_way_out() -> None:
    spec = key_spec("ECC_NIST_P521", partition="aws-cn")
    with pytest.raises(Refused) as refused:
        choose_wrapping(spec, algorithm=None, wrapping_key_spec="RSA_2048", size_bytes=241)
    assert str(refused.value) == (
        "WrappingKeySpec: KMS does not take ECC_NIST_P521 keys by RSAES_OAEP_SHA_256 under an RSA_2048 wrapping public key. "
        "Set WrappingKeySpec to RSA_4096."
    )


def test_outside_of_china_nothing_changes_by_partition() -> None:
    assert key_spec("RSA_2048", partition="aws-us-gov") is KEY_SPECS["RSA_2048"]
    assert key_spec("SYMMETRIC_DEFAULT", partition="aws-iso") is KEY_SPECS["SYMMETRIC_DEFAULT"]


# ------------------------------------------------------------------------------------------------- choosing the wrapping


@pytest.mark.parametrize("wrapping_key_spec", WRAPPING_KEY_SPECS)
@pytest.mark.parametrize("name", list(KEY_SPECS))
def test_left_to_itself_the_choice_is_one_that_kms_takes(name: str, wrapping_key_spec: str) -> None:
    chosen = choose_wrapping(KEY_SPECS[name], algorithm=None, wrapping_key_spec=wrapping_key_spec, size_bytes=None)
    by_aes = name.startswith("RSA_") or (
        wrapping_key_spec == "RSA_2048" and name in ("ECC_NIST_P521", "ECC_NIST_EDWARDS25519")
    )
    assert chosen == (WRAP_256 if by_aes else OAEP_256)


@pytest.mark.parametrize("algorithm", WRAPPING_ALGORITHMS)
@pytest.mark.parametrize("name", list(KEY_SPECS))
def test_a_declared_algorithm_is_taken_where_kms_takes_it_and_refused_elsewhere(name: str, algorithm: str) -> None:
    spec = KEY_SPECS[name]
    if algorithm in spec.wrapping:
        assert choose_wrapping(spec, algorithm=algorithm, wrapping_key_spec="RSA_4096", size_bytes=None) == algorithm
        return
    with pytest.raises(Refused) as refused:
        choose_wrapping(spec, algorithm=algorithm, wrapping_key_spec="RSA_4096", size_bytes=None)
    assert str(refused.value) == (
        f"WrappingAlgorithm: KMS does not take {algorithm} for {name} keys here. "
        f"Set one of {', '.join(spec.wrapping)}, or leave WrappingAlgorithm out."
    )


@pytest.mark.parametrize("name", ["ECC_NIST_P521", "ECC_NIST_EDWARDS25519"])
@pytest.mark.parametrize("algorithm", [OAEP_1, OAEP_256])
def test_p521_and_ed25519_do_not_go_by_oaep_under_rsa_2048(name: str, algorithm: str) -> None:
    with pytest.raises(Refused) as refused:
        choose_wrapping(KEY_SPECS[name], algorithm=algorithm, wrapping_key_spec="RSA_2048", size_bytes=48)
    assert str(refused.value) == (
        f"WrappingAlgorithm: KMS does not take {name} keys by {algorithm} under an RSA_2048 wrapping public key. "
        "Set WrappingKeySpec to RSA_4096, or WrappingAlgorithm to RSA_AES_KEY_WRAP_SHA_256."
    )


@pytest.mark.parametrize("name", list(CURVES))
def test_every_ec_key_as_it_is_encoded_fits_the_wrapping_that_is_chosen(name: str) -> None:
    size_bytes = len(pkcs8_der(key_for(name)))
    for wrapping_key_spec in WRAPPING_KEY_SPECS:
        chosen = choose_wrapping(
            KEY_SPECS[name], algorithm=None, wrapping_key_spec=wrapping_key_spec, size_bytes=size_bytes
        )
        assert size_bytes <= OAEP_CAPACITY_BYTES.get(chosen, {}).get(wrapping_key_spec, size_bytes)


def test_material_larger_than_oaep_carries_is_refused_with_both_numbers() -> None:
    spec = KEY_SPECS["HMAC_512"]
    assert choose_wrapping(spec, algorithm=OAEP_256, wrapping_key_spec="RSA_2048", size_bytes=190) == OAEP_256
    with pytest.raises(Refused) as refused:
        choose_wrapping(spec, algorithm=OAEP_256, wrapping_key_spec="RSA_2048", size_bytes=191)
    assert str(refused.value) == (
        "WrappingAlgorithm: RSAES_OAEP_SHA_256 under an RSA_2048 wrapping public key carries 190 bytes at most, and the "
        "material has 191. Set WrappingKeySpec to RSA_4096."
    )


def test_material_too_large_for_the_best_algorithm_is_wrapped_by_the_next_that_fits() -> None:
    spec = KEY_SPECS["ECC_NIST_P384"]
    assert choose_wrapping(spec, algorithm=None, wrapping_key_spec="RSA_2048", size_bytes=190) == OAEP_256
    assert choose_wrapping(spec, algorithm=None, wrapping_key_spec="RSA_2048", size_bytes=191) == WRAP_256
    hmac = KEY_SPECS["HMAC_512"]
    assert choose_wrapping(hmac, algorithm=None, wrapping_key_spec="RSA_2048", size_bytes=191) == OAEP_1


def test_material_too_large_for_anything_names_no_way_that_does_not_lead_out() -> None:
    with pytest.raises(Refused) as refused:
        choose_wrapping(KEY_SPECS["HMAC_512"], algorithm=OAEP_1, wrapping_key_spec="RSA_4096", size_bytes=471)
    assert str(refused.value) == (
        "WrappingAlgorithm: RSAES_OAEP_SHA_1 under an RSA_4096 wrapping public key carries 470 bytes at most, and the material "
        "has 471."
    )


def test_an_unknown_algorithm_and_an_unknown_wrapping_key_are_named_at_once() -> None:
    with pytest.raises(Refused) as refused:
        choose_wrapping(KEY_SPECS["RSA_2048"], algorithm="SM2PKE", wrapping_key_spec="SM2", size_bytes=None)
    assert str(refused.value) == (
        "2 things are wrong. (1) WrappingAlgorithm: The value is not a wrapping algorithm that this resource knows. "
        "Set one of RSA_AES_KEY_WRAP_SHA_256, RSA_AES_KEY_WRAP_SHA_1, or leave WrappingAlgorithm out. "
        "(2) WrappingKeySpec: The value is not a wrapping key spec that this resource knows. "
        "Set one of RSA_2048, RSA_3072, RSA_4096, or leave it out: RSA_4096 is the default."
    )


def test_pkcs1_v1_5_is_refused_as_withdrawn() -> None:
    with pytest.raises(Refused) as refused:
        choose_wrapping(
            KEY_SPECS["HMAC_256"], algorithm="RSAES_PKCS1_V1_5", wrapping_key_spec="RSA_4096", size_bytes=None
        )
    assert str(refused.value) == (
        "WrappingAlgorithm: RSAES_PKCS1_V1_5 is no longer taken by KMS (since October 2023). "
        "Set one of RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, or leave WrappingAlgorithm out."
    )


def test_the_capacities_are_what_the_library_really_encrypts() -> None:
    for algorithm, hash_ in ((OAEP_1, hashes.SHA1()), (OAEP_256, hashes.SHA256())):  # noqa: S303  # as KMS offers it
        padding = OAEP(mgf=MGF1(hash_), algorithm=hash_, label=None)
        for wrapping_key_spec in WRAPPING_KEY_SPECS:
            public_key = rsa_key(int(wrapping_key_spec.removeprefix("RSA_"))).public_key()
            capacity_bytes = OAEP_CAPACITY_BYTES[algorithm][wrapping_key_spec]
            assert public_key.encrypt(bytes(capacity_bytes), padding)
            with pytest.raises(ValueError, match="Encryption failed"):
                public_key.encrypt(bytes(capacity_bytes + 1), padding)
