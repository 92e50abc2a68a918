"""PEM: row 9 (which blocks), row 10 (encrypted), and text around a key."""

import base64
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from imported_key_material.errors import Refused
from imported_key_material.material.key_specs import KEY_SPECS, KeySpec
from imported_key_material.material.material_check import check
from lab.keys import der
from lab.keys.openssl import openssl
from lab.keys.private_keys import (
    ec_key,
    ed25519_key,
    pkcs8_der,
    pkcs8_pem,
    rsa_key,
    spki_der,
    traditional_pem,
)
from tests.support.traces import assert_untraceable

P256 = KEY_SPECS["ECC_NIST_P256"]
RSA_2048 = KEY_SPECS["RSA_2048"]
PEM = pkcs8_pem(ec_key())
ENCRYPTED = (
    "SecretId: The private key in the PEM is encrypted. Decrypt it before it is stored (openssl pkey -in encrypted.pem "
    "-out key.pem), and wrap it with a KMS key instead: SecretWrapping."
)
ALONE = "Store only the block of the private key."
DAMAGED = (
    "SecretId: The PEM is damaged: a BEGIN line has no matching END line. "
    "Store the whole PEM, with each BEGIN line and its END line."
)


def refusal(source: str, spec: KeySpec = P256) -> str:
    with pytest.raises(Refused) as refused:
        check(source, spec)
    assert refused.value.__context__ is None
    assert_untraceable(refused.value, pkcs8_der(ec_key()), PEM.splitlines()[1], PEM.splitlines()[2])
    return str(refused.value)


def block(label: str, data: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(data).decode()}-----END {label}-----\n"


def public_key_pem() -> str:
    return ec_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def request_pem() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "orders")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(ec_key(), SHA256())
    return request.public_bytes(Encoding.PEM).decode()


# ---------------------------------------------------------------------------------------------------- what is taken


@pytest.mark.parametrize("pem", [pkcs8_pem(rsa_key()), traditional_pem(rsa_key())])
def test_an_rsa_key_in_pkcs8_or_pkcs1_is_taken_and_becomes_pkcs8(pem: str) -> None:
    material = check(pem, RSA_2048)
    assert (bytes(material.encoded), material.public_key) == (pkcs8_der(rsa_key()), spki_der(rsa_key()))


@pytest.mark.parametrize("pem", [PEM, traditional_pem(ec_key())])
def test_an_ec_key_in_pkcs8_or_sec1_is_taken_and_becomes_pkcs8(pem: str) -> None:
    material = check(pem, P256)
    assert (bytes(material.encoded), material.public_key) == (pkcs8_der(ec_key()), spki_der(ec_key()))


@pytest.mark.parametrize(
    "pem",
    [
        PEM.replace("\n", "\r\n"),
        PEM.strip(),
        " \n" + PEM + "\n\n",
        PEM.replace("\n", " ").strip(),  # as a console's one-line field stores it
        PEM.replace("\n", ""),
        "Bag Attributes\n    friendlyName: Aufträge\n    localKeyID: 01\nKey Attributes: <No Attributes>\n" + PEM,
        PEM + "made by the ceremony of 2026\n",
    ],
)
def test_line_ends_and_text_around_the_block_make_no_difference(pem: str) -> None:
    for source in (pem, pem.encode()):
        assert check(source, P256).encoded == pkcs8_der(ec_key())


def test_what_openssl_makes_of_a_pkcs12_file_is_taken_with_its_bag_attributes(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    (tmp_path / "request.pem").write_text(request_pem())
    openssl("x509", "-req", "-in", "request.pem", "-signkey", "key.pem", "-out", "cert.pem", cwd=tmp_path)
    export = (
        "-export",
        "-inkey",
        "key.pem",
        "-in",
        "cert.pem",
        "-name",
        "orders",
        "-passout",
        "pass:x",
        "-out",
        "f.p12",
    )
    openssl("pkcs12", *export, cwd=tmp_path)
    pem = openssl("pkcs12", "-in", "f.p12", "-nodes", "-nocerts", "-passin", "pass:x", cwd=tmp_path).decode()
    assert "Bag Attributes" in pem
    assert check(pem, P256).encoded == pkcs8_der(ec_key())
    with_certificate = openssl("pkcs12", "-in", "f.p12", "-nodes", "-passin", "pass:x", cwd=tmp_path).decode()
    assert refusal(with_certificate) == f"SecretId: The PEM holds a certificate. {ALONE}"


# ------------------------------------------------------------------------------------------------------- EC PARAMETERS


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("ECC_NIST_P256", "prime256v1"),
        ("ECC_NIST_P384", "secp384r1"),
        ("ECC_NIST_P521", "secp521r1"),
        ("ECC_SECG_P256K1", "secp256k1"),
    ],
)
def test_ec_parameters_as_openssl_writes_them_may_stand_before_the_key(name: str, curve: str) -> None:
    pem = openssl("ecparam", "-name", curve, "-genkey").decode()
    assert pem.startswith("-----BEGIN EC PARAMETERS-----")
    assert check(pem, KEY_SPECS[name]).spec.name == name


@pytest.mark.parametrize("curve", ["prime256v1", "secp384r1", "secp521r1"])
def test_explicit_ec_parameters_that_stand_in_the_key_too_may_stand_before_it(curve: str) -> None:
    pem = openssl("ecparam", "-name", curve, "-genkey", "-param_enc", "explicit").decode()
    names = {"prime256v1": "ECC_NIST_P256", "secp384r1": "ECC_NIST_P384", "secp521r1": "ECC_NIST_P521"}
    assert check(pem, KEY_SPECS[names[curve]]).spec.name == names[curve]


@pytest.mark.parametrize(
    "parameters",
    [
        der.oid(der.P384),
        der.null(),
        openssl("ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-outform", "DER"),
        pkcs8_der(ec_key())[2:5],  # stands in the key, and is no curve
    ],
)
def test_ec_parameters_of_another_curve_are_refused(parameters: bytes) -> None:
    assert refusal(block("EC PARAMETERS", parameters) + PEM) == (
        "SecretId: The EC PARAMETERS in the PEM are not of the private key's curve. "
        "Leave them out: the key names its curve itself."
    )


def test_ec_parameters_before_an_rsa_key_are_refused() -> None:
    assert refusal(block("EC PARAMETERS", der.oid(der.P256)) + pkcs8_pem(rsa_key()), RSA_2048).startswith(
        "SecretId: The EC PARAMETERS in the PEM are not of the private key's curve."
    )


def test_ec_parameters_behind_the_key_or_twice_are_refused() -> None:
    parameters = block("EC PARAMETERS", der.oid(der.P256))
    assert check(parameters + PEM, P256).encoded == pkcs8_der(ec_key())
    for pem in (PEM + parameters, parameters + parameters + PEM):
        assert refusal(pem) == (
            "SecretId: The PEM holds EC PARAMETERS behind the private key, or twice. "
            "Leave them out: the key names its curve itself."
        )


# ------------------------------------------------------------------------------------------------------- other blocks


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        (block("CERTIFICATE", b"anything"), "The PEM holds a certificate."),
        (block("TRUSTED CERTIFICATE", b"anything"), "The PEM holds a certificate."),
        (request_pem(), "The PEM holds a certificate request."),
        (public_key_pem(), "The PEM holds a public key."),
        (block("RSA PUBLIC KEY", b"anything"), "The PEM holds a public key."),
        (block("DH PARAMETERS", b"anything"), "The PEM holds Diffie-Hellman parameters."),
        (block("DSA PRIVATE KEY", b"anything"), "The PEM holds a DSA private key, and KMS has no DSA keys."),
        (block("X509 CRL", b"anything"), "The PEM holds a block of another kind."),
        (block("AKIAIOSFODNN7EXAMPLE", b"anything"), "The PEM holds a block of another kind."),
    ],
)
def test_any_other_block_is_refused_before_or_behind_the_key(extra: str, problem: str) -> None:
    for pem in (extra + PEM, PEM + extra):
        assert refusal(pem) == f"SecretId: {problem} {ALONE}"
    assert refusal(extra) == f"SecretId: {problem} {ALONE}"


def test_an_openssh_private_key_is_refused_with_the_way_to_convert_it() -> None:
    pem = ed25519_key().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    assert refusal(pem, KEY_SPECS["ECC_NIST_EDWARDS25519"]) == (
        "SecretId: The PEM holds an OpenSSH private key. Convert it first, for example: ssh-keygen -p -m PKCS8 -f key."
    )


def test_two_private_keys_are_refused_even_if_they_are_the_same() -> None:
    for pem in (PEM + PEM, PEM + traditional_pem(rsa_key()), traditional_pem(ec_key()) + PEM):
        assert refusal(pem) == (
            "SecretId: The PEM holds 2 private keys, and a KMS key takes one. Store only the right one."
        )


def test_ec_parameters_without_a_key_are_no_private_key() -> None:
    assert refusal(block("EC PARAMETERS", der.oid(der.P256))) == (
        "SecretId: The PEM holds no private key. Store the private key in PKCS#8, PKCS#1 or SEC1."
    )


# ------------------------------------------------------------------------------------------------------------ encrypted


@pytest.mark.parametrize(
    "options",
    [
        ("pkey", "-aes256"),
        ("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"),
        ("ec", "-aes256"),  # Proc-Type: 4,ENCRYPTED within an EC PRIVATE KEY
    ],
)
def test_an_encrypted_private_key_is_refused_as_encrypted(options: tuple[str, ...]) -> None:
    pem = openssl(*options, "-passout", "pass:secret", stdin=PEM.encode()).decode()
    assert "ENCRYPTED" in pem
    assert refusal(pem) == ENCRYPTED


def test_the_remedy_for_an_encrypted_key_decrypts_it(tmp_path: Path) -> None:
    (tmp_path / "encrypted.pem").write_text(pkcs8_pem(ec_key(), password=b"secret"))
    openssl("pkey", "-in", "encrypted.pem", "-out", "key.pem", "-passin", "pass:secret", cwd=tmp_path)
    assert check((tmp_path / "key.pem").read_text(), P256).encoded == pkcs8_der(ec_key())


# -------------------------------------------------------------------------------------------------------------- damaged


@pytest.mark.parametrize(
    "pem",
    [
        PEM.partition("-----END")[0],
        PEM.removesuffix("-\n"),
        PEM.replace("END PRIVATE", "END PUBLIC"),
        PEM + "-----BEGIN CERTIFICATE-----\nAAAA\n",
        PEM + "-----END PRIVATE KEY-----\n",
        PEM.partition("\n-----END")[0] + "\n" + PEM,
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "-----BEGIN private key-----\nAAAA\n-----END private key-----",
    ],
)
def test_a_pem_without_its_lines_is_refused_as_damaged(pem: str) -> None:
    assert refusal(pem) == DAMAGED


def test_a_body_that_is_not_base64_is_refused() -> None:
    lines = PEM.splitlines()
    for body in ("\\n".join(lines), "\n".join([lines[0], "?" + lines[1][1:], *lines[2:]])):
        assert refusal(body) == (
            "SecretId: The PEM's block PRIVATE KEY is not base64: it has characters that base64 does not have. "
            "Store the PEM as it was written, with its line breaks."
        )


def test_several_things_wrong_with_a_pem_are_named_at_once() -> None:
    encrypted = pkcs8_pem(ec_key(), password=b"secret")
    assert refusal(block("CERTIFICATE", b"anything") + PEM + encrypted) == (
        "3 things are wrong. (1) SecretId: The PEM holds 2 private keys, and a KMS key takes one. Store only the "
        f"right one. (2) {ENCRYPTED} (3) SecretId: The PEM holds a certificate. {ALONE}"
    )
