"""Private keys of every container: rows 10 to 13, 18, 19 and 21. The library's refusals become our sentences."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from imported_key_material.errors import Refused
from imported_key_material.material import private_key
from imported_key_material.material.key_specs import KEY_SPECS, KeySpec
from imported_key_material.material.material_check import check
from imported_key_material.material.words import Words
from lab.keys import der
from lab.keys.openssl import openssl
from lab.keys.private_keys import (
    CURVES,
    ec_key,
    ed25519_key,
    key_for,
    pkcs8_der,
    pkcs8_pem,
    point,
    rsa_key,
    spki_der,
    traditional_der,
)
from lab.keys.random_keys import random_key
from tests.support.traces import assert_untraceable

P256 = KEY_SPECS["ECC_NIST_P256"]
ED25519 = KEY_SPECS["ECC_NIST_EDWARDS25519"]
RSA_2048 = KEY_SPECS["RSA_2048"]
DSA = "1.2.840.10040.4.1"
ASYMMETRIC = [name for name in KEY_SPECS if name.startswith(("RSA_2048", "ECC_"))]

AGAIN = "Export it again, for example: openssl pkey -in old.pem -out new.pem."
WANTED = "Store the private key in PKCS#8, PKCS#1 or SEC1, as PEM or DER."
FITTING = "Name the secret that holds the right key, or a KMS key of the fitting key spec."
VERSION_1 = (
    "Store it in version 1, without the public key (RFC 8410, section 7): the 16 bytes 302e020100300506032b657004220420 in "
    "hex, and behind them the 32 bytes of the seed."
)


def refusal(source: bytes | str, spec: KeySpec = P256, **options: Any) -> str:
    with pytest.raises(Refused) as refused:
        check(source, spec, **options)
    assert refused.value.__context__ is None
    assert refused.value.__cause__ is None
    assert_untraceable(refused.value, *([source] if source else []), seed(), scalar())
    return str(refused.value)


def seed() -> bytes:
    return ed25519_key().private_bytes_raw()


def scalar() -> bytes:
    return ec_key().private_numbers().private_value.to_bytes(32, "big")


def own_point() -> bytes:
    return ec_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def attributes() -> bytes:
    """[0] with a key usage attribute, as Windows writes it (RFC 5208, section 5)."""
    return der.tlv(0xA0, der.sequence(der.oid("2.5.29.15"), der.tlv(0x31, bytes.fromhex("03020780"))))


# --------------------------------------------------------------------------------------------- rows 12 and 21: taken


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_what_goes_out_is_pkcs8_as_openssl_writes_it(name: str) -> None:
    key = key_for(name)
    openssls = openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", stdin=pkcs8_pem(key).encode())
    assert check(pkcs8_der(key), KEY_SPECS[name]).encoded == openssls
    if name == "ECC_NIST_EDWARDS25519":
        assert len(openssls) == 48


@pytest.mark.parametrize("name", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"])
def test_pkcs1_and_sec1_become_pkcs8(name: str) -> None:
    key = key_for(name)
    assert check(traditional_der(key), KEY_SPECS[name]).encoded == pkcs8_der(key)


@pytest.mark.parametrize(
    "source",
    [
        der.ec_pkcs8(scalar()),  # without the public point
        der.ec_pkcs8(scalar(), point=ec_key().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)),
        der.pkcs8(der.ID_EC, der.oid(der.P256), der.sec1(scalar(), curve=der.P256, point=own_point())),
        der.sec1(scalar(), curve=der.P256),
    ],
)
def test_an_ec_key_goes_out_with_its_public_point_uncompressed(source: bytes) -> None:
    material = check(source, P256)
    assert (bytes(material.encoded), material.public_key) == (pkcs8_der(ec_key()), spki_der(ec_key()))
    assert own_point() in material.encoded


def test_attributes_are_dropped() -> None:
    rsa = der.pkcs8(der.ID_RSA, der.null(), traditional_der(rsa_key()), behind=attributes())
    assert check(rsa, RSA_2048).encoded == pkcs8_der(rsa_key())
    curve = der.pkcs8(der.ID_EC, der.oid(der.P256), der.sec1(scalar(), point=own_point()), behind=attributes())
    assert check(curve, P256).encoded == pkcs8_der(ec_key())


EXPLICIT = (
    "SecretId: The private key describes its curve by explicit parameters that are not exactly those of P-256, P-384 or "
    "P-521; those of secp256k1 are not read, either. "
    "If it is one of KMS's curves: openssl pkey -in old.pem -ec_param_enc named_curve -out new.pem."
)


def explicit(name: str, *container: str) -> bytes:
    return openssl(*container, "-outform", "DER", stdin=explicit_pem(name))


def explicit_pem(name: str) -> bytes:
    """The same key, with explicit curve parameters."""
    pem = pkcs8_pem(ec_key(name)).encode()
    return openssl("ec", "-param_enc", "explicit", stdin=pem)


@pytest.mark.parametrize("container", [("pkcs8", "-topk8", "-nocrypt"), ("ec",)])
@pytest.mark.parametrize("name", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"])
def test_explicit_curve_parameters_become_the_named_curve(name: str, container: tuple[str, ...]) -> None:
    source = explicit(name, *container)
    assert len(source) > 2 * len(traditional_der(ec_key(name)))
    assert check(source, KEY_SPECS[name]).encoded == pkcs8_der(ec_key(name))


@pytest.mark.parametrize("container", [("pkcs8", "-topk8", "-nocrypt"), ("ec",)])
def test_explicit_parameters_of_secp256k1_are_refused_with_the_way_out(
    container: tuple[str, ...], tmp_path: Path
) -> None:
    spec = KEY_SPECS["ECC_SECG_P256K1"]
    assert refusal(explicit("ECC_SECG_P256K1", *container), spec) == EXPLICIT
    (tmp_path / "old.pem").write_bytes(explicit_pem("ECC_SECG_P256K1"))
    openssl("pkey", "-in", "old.pem", "-ec_param_enc", "named_curve", "-out", "new.pem", cwd=tmp_path)
    assert check((tmp_path / "new.pem").read_text(), spec).encoded == pkcs8_der(ec_key("ECC_SECG_P256K1"))


@pytest.mark.parametrize("container", [("pkcs8", "-topk8", "-nocrypt"), ("ec",)])
def test_explicit_parameters_with_an_altered_generator_are_refused(container: tuple[str, ...]) -> None:
    """CVE-2020-0601: who chooses the generator knows a private key for any public key."""
    source = explicit("ECC_NIST_P256", *container)
    generator = point(1, ec.SECP256R1())
    assert generator in source
    assert refusal(source.replace(generator, point(2, ec.SECP256R1()))) == EXPLICIT


# --------------------------------------------------------------------------------- row 11: strict, version 1, private


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_bytes_behind_the_key_are_refused(name: str) -> None:
    source = pkcs8_der(key_for(name))
    filling = -len(source) % 8
    for extra in (b"\n", b"\0" * (filling + 1), b"\0" * (filling + 8), b"\0" * (filling - 1) + b"\1"):
        assert refusal(source + extra, KEY_SPECS[name]) == (
            f"SecretId: The private key is followed by other bytes ({len(extra)} of them). {AGAIN}"
        )


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_zeros_that_fill_the_key_up_to_eight_bytes_are_dropped(name: str) -> None:
    """SoftHSM2 fills every key with such zeros before it wraps it."""
    source = pkcs8_der(key_for(name))
    filled = source + bytes(-len(source) % 8)
    assert bytes(check(filled, KEY_SPECS[name]).encoded) == bytes(check(source, KEY_SPECS[name]).encoded)


def indefinite(source: bytes) -> bytes:
    """The same outermost SEQUENCE with an indefinite length (X.690, 8.1.3.6)."""
    header = 2 + (source[1] & 0x7F if source[1] & 0x80 else 0)
    return b"\x30\x80" + source[header:] + b"\0\0"


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_ber_is_refused_by_its_name(name: str) -> None:
    source = pkcs8_der(key_for(name))
    assert refusal(indefinite(source), KEY_SPECS[name]) == (
        f"SecretId: The private key is BER with an indefinite length, not DER. {AGAIN}"
    )


def test_a_length_longer_than_needed_is_refused_as_ber() -> None:
    source = pkcs8_der(ed25519_key())
    for length in (b"\x81\x2e", b"\x82\x00\x2e"):
        assert refusal(b"\x30" + length + source[2:], ED25519) == (
            f"SecretId: The private key is BER with a length longer than needed, not DER. {AGAIN}"
        )
    longer = pkcs8_der(ec_key())
    assert refusal(b"\x30\x82\x00" + longer[2:]) == (
        f"SecretId: The private key is BER with a length longer than needed, not DER. {AGAIN}"
    )


def test_ber_within_the_container_is_refused_as_well() -> None:
    source = der.pkcs8(der.ID_EC, der.oid(der.P256), indefinite(der.sec1(scalar(), point=own_point())))
    assert "not a valid EC key" in refusal(source) or "private value is encoded in 0 bytes" in refusal(source)


def test_the_remedy_for_ber_writes_der(tmp_path: Path) -> None:
    body = base64.encodebytes(indefinite(pkcs8_der(ed25519_key()))).decode()
    pem = f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n"
    assert "is BER with an indefinite length" in refusal(pem, ED25519)
    (tmp_path / "old.pem").write_text(pem)
    openssl("pkey", "-in", "old.pem", "-out", "new.pem", cwd=tmp_path)
    assert check((tmp_path / "new.pem").read_text(), ED25519).encoded == pkcs8_der(ed25519_key())


def test_a_key_that_was_cut_off_is_refused_wherever_it_was_cut() -> None:
    source = pkcs8_der(ec_key())
    for cut_off in (b"\x30\x81", b"\x30\x82\x81", *(source[:size] for size in range(3, len(source)))):
        assert refusal(cut_off) == f"SecretId: The private key is cut off. {AGAIN}"


@pytest.mark.parametrize("make", [lambda: b"\x31\x80", lambda: bytes(48), lambda: random_key(32)])
def test_bytes_that_are_no_der_are_refused(make: Callable[[], bytes]) -> None:
    assert refusal(make(), ED25519) == f"SecretId: The material is neither a PEM nor DER. {WANTED}"


@pytest.mark.parametrize(
    "make", [lambda: b"0\0", lambda: der.sequence(der.integer(1)), lambda: der.sequence(der.null())]
)
def test_der_that_is_no_private_key_is_refused(make: Callable[[], bytes]) -> None:
    assert refusal(make()) == f"SecretId: The material is DER, but no private key in PKCS#8, PKCS#1 or SEC1. {WANTED}"


def test_text_where_der_is_expected_is_refused_as_text() -> None:
    source = b"a passphrase, and no key at all"
    assert refusal(source) == (
        "SecretId: The material reads as text (printable ASCII), and is neither a PEM nor DER. "
        "Store or wrap the key itself. MaterialEncoding says how a secret's text is encoded; a PEM needs none."
    )
    encoded = base64.b64encode(pkcs8_der(ec_key()))
    assert refusal(encoded) == (
        "SecretId: The bytes are a text that nobody decoded: an ECC_NIST_P256 key in BASE64. Set MaterialEncoding "
        "to BASE64, or store the decoded bytes."
    )
    assert "reads as text (UTF-16)" in refusal(pkcs8_pem(ec_key()).encode("utf-16"))  # PowerShell's redirection


@pytest.mark.parametrize(
    "make",
    [
        lambda: spki_der(ec_key()),
        lambda: spki_der(ed25519_key()),
        lambda: rsa_key().public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1),
    ],
)
def test_a_public_key_is_refused(make: Callable[[], bytes]) -> None:
    assert refusal(make()) == f"SecretId: The material is a public key. {WANTED}"


def test_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(pkcs8_pem(ec_key()))
    arguments = ("-new", "-x509", "-key", "key.pem", "-subj", "/CN=orders", "-outform", "DER")
    certificate = openssl("req", *arguments, cwd=tmp_path)
    assert refusal(certificate) == f"SecretId: The material is a certificate or a certificate request. {WANTED}"


def test_a_pkcs12_file_is_refused_with_the_way_to_take_the_key_out(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(pkcs8_pem(ec_key()))
    file = openssl("pkcs12", "-export", "-nocerts", "-inkey", "key.pem", "-passout", "pass:x", cwd=tmp_path)
    assert refusal(file) == (
        "SecretId: The material is a PKCS#12 file. "
        "Take the private key out of it: openssl pkcs12 -in file.p12 -nodes -nocerts."
    )


def test_an_ed25519_key_of_version_2_is_refused_with_a_remedy_that_works() -> None:
    public_key = ed25519_key().public_key().public_bytes_raw()
    for source in (
        der.ed25519(der.octets(seed())[2:], version=1, public_key=public_key),
        der.ed25519(seed(), version=1),
    ):
        assert refusal(source, ED25519) == (
            "SecretId: The material is a PKCS#8 private key of version 2 (RFC 5958), and KMS is sent version 1. "
            + VERSION_1
        )
    remedied = bytes.fromhex("302e020100300506032b657004220420") + seed()
    assert check(remedied, ED25519).encoded == pkcs8_der(ed25519_key())


def test_other_keys_of_version_2_are_refused() -> None:
    source = der.pkcs8(der.ID_EC, der.oid(der.P256), der.sec1(scalar(), point=own_point()), version=1)
    assert refusal(source) == (
        "SecretId: The material is a PKCS#8 private key of version 2 (RFC 5958). Export it as PKCS#8 of version 1 (RFC 5208)."
    )


# -------------------------------------------------------------------------------------------------- row 10: encrypted


@pytest.mark.parametrize("options", [("-v2", "aes256"), ("-v1", "PBE-SHA1-3DES"), ("-v2", "aes256", "-scrypt")])
def test_an_encrypted_key_in_der_is_refused_as_encrypted(options: tuple[str, ...]) -> None:
    arguments = ("pkcs8", "-topk8", *options, "-outform", "DER", "-passout", "pass:secret")
    assert refusal(openssl(*arguments, stdin=pkcs8_pem(ec_key()).encode())) == (
        "SecretId: The material is an encrypted PKCS#8 private key. Decrypt it before it is stored (openssl pkey -in "
        "encrypted.pem -out key.pem), and wrap it with a KMS key instead: SecretWrapping."
    )


def test_a_key_without_its_version_number_is_not_called_encrypted() -> None:
    source = der.sequence(der.sequence(der.oid(der.ID_ED25519)), der.octets(der.octets(seed())))
    assert refusal(source, ED25519) == (
        "SecretId: The material is a PKCS#8 private key without its version number. Export it again as PKCS#8 (RFC 5208)."
    )


def test_what_the_library_raises_ends_where_the_library_is_called() -> None:
    """The library raises TypeError for an encrypted key; the check of the container has refused such a key before."""
    arguments = ("pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:secret")
    encrypted = openssl(*arguments, stdin=pkcs8_pem(ec_key()).encode())
    with pytest.raises(TypeError):
        load_der_private_key(encrypted, None)
    assert private_key._load(memoryview(encrypted)) is None


def test_the_bytes_of_a_private_key_are_wiped_when_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytearray] = []
    load = private_key.load

    def watching(data: bytearray, *, words: Words) -> PrivateKeyTypes:
        seen.append(data)
        return load(data, words=words)

    monkeypatch.setattr(private_key, "load", watching)
    source = pkcs8_der(ec_key())
    check(source, P256)
    check(pkcs8_pem(ec_key()), P256)
    refusal(source[:-1])
    assert seen == [bytearray(len(source)), bytearray(len(source)), bytearray(len(source) - 1)]


# ------------------------------------------------------------------------------------------------ row 13: type and curve


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ECC_NIST_P384", "an EC key on P-384"),
        ("ECC_SECG_P256K1", "an EC key on secp256k1"),
        ("ECC_NIST_EDWARDS25519", "an Ed25519 key"),
        ("RSA_2048", "an RSA key of 2048 bits"),
    ],
)
def test_a_key_of_another_type_or_curve_is_refused(name: str, found: str) -> None:
    assert refusal(pkcs8_der(key_for(name))) == (
        f"SecretId: The private key is {found}, and an ECC_NIST_P256 key takes an EC key on P-256. {FITTING}"
    )
    assert refusal(pkcs8_der(ec_key()), KEY_SPECS[name]) == (
        f"SecretId: The private key is an EC key on P-256, and an {name} key takes {found}. {FITTING}"
    )


@pytest.mark.parametrize("spec", [P256, ED25519], ids=lambda spec: spec.name)
def test_a_curve_that_the_library_loads_and_kms_does_not_have_is_refused(spec: KeySpec) -> None:
    options = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1")
    source = openssl("genpkey", *options, "-outform", "DER")
    takes = "an EC key on P-256" if spec is P256 else "an Ed25519 key"
    assert refusal(source, spec) == (
        "SecretId: The private key is of a kind that KMS does not have (it is on brainpoolP256r1), and "
        f"{spec.a_key} takes {takes}. {FITTING}"
    )


@pytest.mark.parametrize(
    ("curve", "sentence"),
    [
        (
            "brainpoolP320r1",
            "The private key is on a curve that KMS does not have. Make a key on the KMS key's own curve.",
        ),
        ("secp112r1", "The private key is on a curve that KMS does not have. Make a key on the KMS key's own curve."),
    ],
)
def test_a_curve_that_the_library_does_not_load_is_refused(curve: str, sentence: str) -> None:
    source = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-outform", "DER")
    assert refusal(source) == f"SecretId: {sentence}"


def test_a_dsa_key_is_refused() -> None:
    traditional = der.sequence(*(der.integer(number) for number in (0, 23, 11, 4, 8, 3)))
    assert refusal(traditional) == (
        "SecretId: The material is a DSA private key. Name a secret with an RSA, EC or Ed25519 key: KMS has no DSA keys."
    )


OF_ANOTHER_ALGORITHM = (
    "SecretId: KMS takes no private keys of this algorithm. Name a secret with an RSA, EC or Ed25519 key."
)


@pytest.mark.parametrize(
    "make",
    [
        lambda: openssl("genpkey", "-algorithm", "X25519", "-outform", "DER"),
        lambda: openssl("genpkey", "-algorithm", "ED448", "-outform", "DER"),
        lambda: openssl("genpkey", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-outform", "DER"),
        lambda: der.pkcs8("1.3.132.1.12", der.oid(der.P256), der.sec1(scalar(), point=own_point())),  # id-ecDH
        lambda: der.pkcs8(DSA, der.sequence(*map(der.integer, (23, 11, 4))), der.integer(3)),
        lambda: der.sequence(der.integer(0), der.sequence(der.null()), der.octets(b"")),  # it names none
        lambda: der.sequence(der.integer(0), der.sequence(), der.octets(b"")),
    ],
    ids=["X25519", "Ed448", "DH", "id-ecDH", "DSA", "no identifier", "nothing"],
)
def test_an_algorithm_that_kms_takes_no_keys_of_is_refused_before_the_library_sees_it(
    make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(private_key, "load_der_private_key")
    assert refusal(make(), ED25519) == OF_ANOTHER_ALGORITHM


@pytest.mark.parametrize(
    ("algorithm", "parameters", "inner", "sentence"),
    [
        (der.ID_RSA, der.null(), der.sec1(scalar(), curve=der.P256), "The private key is not a valid RSA key"),
        (der.ID_RSA, der.null(), der.pkcs8(der.ID_RSA, der.null(), b""), "The private key is not a valid RSA key"),
        (der.ID_RSA, der.null(), b"", "The private key is not a valid RSA key"),
        (der.ID_EC, der.oid(der.P256), der.pkcs1(range(8)), "The private value is encoded in 1 bytes"),
        (der.ID_EC, der.oid(der.P256), b"", "The private value is encoded in 0 bytes"),
        (der.ID_ED25519, b"", der.sec1(seed()), "The private key is not a valid Ed25519 key"),
    ],
    ids=["SEC1 for RSA", "PKCS#8 for RSA", "nothing for RSA", "PKCS#1 for EC", "nothing for EC", "SEC1 for Ed25519"],
)
def test_a_container_with_another_key_in_it_than_it_says_is_refused_before_the_library_sees_it(
    algorithm: str, parameters: bytes, inner: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(private_key, "load_der_private_key")
    assert refusal(der.pkcs8(algorithm, parameters, inner), ED25519).startswith(f"SecretId: {sentence}")


def test_another_key_with_another_check_value_has_two_faults() -> None:
    declared = f"SHA256:{'00' * 32}"
    sentence = refusal(pkcs8_der(ec_key("ECC_NIST_P384")), P256, expected_check_value=declared)
    assert sentence.startswith(
        "2 things are wrong. (1) SecretId: The private key is an EC key on P-384, and an ECC_NIST_P256"
    )
    assert "(2) ExpectedCheckValue: The public key's check value is SHA256:" in sentence


def test_the_check_value_of_a_good_key_is_verified() -> None:
    computed = check(pkcs8_der(ec_key()), P256).check_value
    material = check(pkcs8_der(ec_key()), P256, expected_check_value=computed.lower())
    assert (material.check_value, material.verified_check_value) == (computed, computed.lower())
    declared = f"SHA256:{'00' * 32}"
    assert refusal(pkcs8_der(ec_key()), P256, expected_check_value=declared) == (
        f"ExpectedCheckValue: The public key's check value is {computed}, and another one is declared. "
        "Name the secret and version that hold the right key, or correct ExpectedCheckValue."
    )


# -------------------------------------------------------------------------------------------------------- row 18: RSA-PSS

PSS = (
    "SecretId: The private key is for RSA-PSS only (id-RSASSA-PSS), and a KMS key would not keep that limit. "
    "If it may be used without that limit: openssl rsa -traditional -in old.pem | sed s/RSA-PSS/RSA/ > new.pem."
)


def test_a_key_only_for_rsa_pss_is_refused() -> None:
    """The library would accept it, and silently make it an ordinary RSA key."""
    bare = der.pkcs8(der.ID_RSA_PSS, b"", traditional_der(rsa_key()))
    assert refusal(bare, RSA_2048) == PSS


def test_a_key_for_rsa_pss_as_openssl_makes_it_is_refused_and_the_remedy_works(tmp_path: Path) -> None:
    options = ("-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_pss_keygen_md:sha256")
    openssl("genpkey", *options, "-out", "old.pem", cwd=tmp_path)
    assert refusal((tmp_path / "old.pem").read_text(), RSA_2048) == PSS
    traditional = openssl("rsa", "-traditional", "-in", "old.pem", cwd=tmp_path).decode()
    assert check(traditional.replace("RSA-PSS", "RSA"), RSA_2048).spec is RSA_2048


# ------------------------------------------------------------------------------- row 19: scalars, points, seeds by length


def order(name: str) -> int:
    return CURVES[name].group_order


NOT_VALID = (
    "SecretId: The private key is not a valid EC key: its private value is zero or not below the order of the group, or its "
    "public point is not the one that belongs to it. Name the secret with the undamaged key, or make a new one."
)


@pytest.mark.parametrize("above", [0, 1, 12345])
def test_a_private_value_of_the_order_or_more_is_refused(above: int) -> None:
    value = order("ECC_NIST_P256") + above
    encoded = value.to_bytes(32, "big")
    for source in (der.ec_pkcs8(encoded), der.sec1(encoded, curve=der.P256)):
        assert refusal(source) == NOT_VALID
    if above:
        assert refusal(der.ec_pkcs8(encoded, point=point(above, ec.SECP256R1()))) == NOT_VALID


def test_a_private_value_of_zero_is_refused() -> None:
    assert refusal(der.ec_pkcs8(bytes(32))) == NOT_VALID


@pytest.mark.parametrize(
    "make",
    [
        lambda: point(7, ec.SECP256R1()),  # of another key
        lambda: own_point()[:-1] + bytes([own_point()[-1] ^ 1]),  # not on the curve
        lambda: b"\0",  # at infinity
    ],
)
def test_a_public_point_that_does_not_belong_to_the_key_is_refused(make: Callable[[], bytes]) -> None:
    assert refusal(der.ec_pkcs8(scalar(), point=make())) == NOT_VALID
    assert refusal(der.sec1(scalar(), curve=der.P256, point=make())) == NOT_VALID


def test_a_curve_that_is_named_twice_and_differently_is_refused() -> None:
    source = der.pkcs8(der.ID_EC, der.oid(der.P256), der.sec1(scalar(), curve=der.P384))
    assert refusal(source) == NOT_VALID


def test_a_sec1_key_that_does_not_name_its_curve_is_refused() -> None:
    assert refusal(der.sec1(scalar(), point=own_point())) == (
        f"SecretId: The private key does not name its curve. {AGAIN} It must name the curve."
    )


def small_scalar(name: str) -> tuple[bytes, bytes]:
    """A private value that begins with a zero byte, without that byte; and its public point."""
    size = {"ECC_NIST_P384": 48, "ECC_NIST_P521": 66}.get(name, 32)
    value = int.from_bytes(scalar() * 3, "big") % (1 << (8 * size - 9 - (7 if size == 66 else 0)))
    return value.to_bytes(size, "big").lstrip(b"\0"), point(value, CURVES[name])


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("ECC_NIST_P256", der.P256),
        ("ECC_NIST_P384", der.P384),
        ("ECC_NIST_P521", der.P521),
        ("ECC_SECG_P256K1", der.P256K1),
    ],
)
def test_a_private_value_without_its_leading_zeros_is_refused_and_the_remedy_works(
    name: str, curve: str, tmp_path: Path
) -> None:
    short, its_point = small_scalar(name)
    size = {"ECC_NIST_P384": 48, "ECC_NIST_P521": 66}.get(name, 32)
    sentence = (
        f"SecretId: The private value is encoded in {len(short)} bytes, and on this curve it takes {size} (RFC 5915, "
        f"section 3): some programs strip leading zeros. {AGAIN}"
    )
    spec = KEY_SPECS[name]
    assert refusal(der.ec_pkcs8(short, curve=curve, point=its_point), spec) == sentence
    sec1 = der.sec1(short, curve=curve, point=its_point)
    assert refusal(sec1, spec) == sentence
    body = base64.encodebytes(sec1).decode()
    (tmp_path / "old.pem").write_text(f"-----BEGIN EC PRIVATE KEY-----\n{body}-----END EC PRIVATE KEY-----\n")
    openssl("pkey", "-in", "old.pem", "-out", "new.pem", cwd=tmp_path)
    assert check((tmp_path / "new.pem").read_text(), spec).encoded == pkcs8_der(
        ec.derive_private_key(int.from_bytes(short, "big"), CURVES[name])
    )


def test_a_private_value_with_a_zero_too_many_is_refused() -> None:
    assert refusal(der.ec_pkcs8(b"\0" + scalar(), point=own_point())).startswith(
        "SecretId: The private value is encoded in 33 bytes, and on this curve it takes 32 (RFC 5915, section 3)"
    )


@pytest.mark.parametrize("size", [31, 33, 0, 64])
def test_an_ed25519_seed_of_another_length_is_refused(size: int) -> None:
    """The library raises InternalError, which speaks of another library's error stack."""
    assert refusal(der.ed25519((seed() * 2)[:size]), ED25519) == (
        "SecretId: The private key is not a valid Ed25519 key: its seed does not have 32 bytes, or its container is not that "
        f"of RFC 8410, section 7. {VERSION_1}"
    )
    assert check(pkcs8_der(ed25519_key()), ED25519).encoded == pkcs8_der(ed25519_key())  # no error is left over


# ---------------------------------------------------------------------------------- rows 8 and 20: values that are no secret

NEAR = (
    "SecretId: The private value is so close to zero, or to the order of the group, that it can be found by trying. "
    "Make a new key with a well-known generator, for example openssl genpkey."
)


def ec_der(value: int, name: str = "ECC_NIST_P256") -> bytes:
    return pkcs8_der(ec.derive_private_key(value, CURVES[name]))


@pytest.mark.parametrize("name", list(CURVES))
@pytest.mark.parametrize("distance", [1, 2, 2**32, 2**64 - 1])
def test_an_ec_key_near_to_zero_or_to_the_order_is_refused(name: str, distance: int) -> None:
    """The library loads a private value of 1."""
    assert refusal(ec_der(distance, name), KEY_SPECS[name]) == NEAR
    assert refusal(ec_der(order(name) - distance, name), KEY_SPECS[name]) == NEAR


@pytest.mark.parametrize("name", ["ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_P521"])
def test_an_ec_key_just_far_enough_from_the_order_is_not_near(name: str) -> None:
    assert check(ec_der(order(name) - 2**64, name), KEY_SPECS[name]).spec.name == name


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        (bytes([0x11]) * 32, "all of its bytes are equal"),
        (bytes(range(1, 33)), "its bytes count up or down in one constant step"),
        (bytes(range(3, 40, 3))[:11] + b"0123456789abcdef!?-,."[:21], ""),
        (bytes.fromhex("0123456789abcdeffedcba98765432a1") * 2, "it is a shorter sequence of bytes, repeated"),
        (
            bytes(16) + bytes.fromhex("0123456789abcdeffedcba98765432a1"),
            "all bytes of one half are equal: a shorter key was padded",
        ),
        (
            bytes.fromhex("01020304050607") * 3 + bytes.fromhex("0102030405060701020307"),
            "it has fewer than 8 different bytes",
        ),
    ],
)
def test_an_ec_value_or_an_ed25519_seed_that_is_not_random_is_refused(value: bytes, pattern: str) -> None:
    keys = (
        ("private value", ec_der(int.from_bytes(value, "big")), P256),
        ("seed", pkcs8_der(Ed25519PrivateKey.from_private_bytes(value)), ED25519),
    )
    for what, source, spec in keys:
        if not pattern:
            assert check(source, spec).encoded == source
            continue
        assert refusal(source, spec) == (
            f"SecretId: The private key's {what} is not random: {pattern}. "
            "Make a new key with a well-known generator, for example openssl genpkey."
        )


def test_a_zero_ed25519_seed_is_refused() -> None:
    """The library loads it."""
    assert refusal(der.ed25519(bytes(32)), ED25519) == (
        "SecretId: The private key's seed is not random: all of its bytes are equal. "
        "Make a new key with a well-known generator, for example openssl genpkey."
    )


def test_a_weak_key_of_the_wrong_type_with_another_check_value_has_three_faults() -> None:
    sentence = refusal(ec_der(1, "ECC_NIST_P384"), P256, expected_check_value=f"SHA256:{'00' * 32}")
    assert sentence.startswith("3 things are wrong. (1) SecretId: The private key is an EC key on P-384")
    assert f"(2) {NEAR}" in sentence
    assert "(3) ExpectedCheckValue: The public key's check value is SHA256:" in sentence
