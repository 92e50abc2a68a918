"""`key-custodian check`: what passes, the error for what does not, and the check values compared with OpenSSL's."""

import base64
import hmac
import json

import pytest

from imported_key_material.material.key_specs import KEY_SPECS
from imported_key_material.material.proof import CONFIRMATION_MESSAGE
from lab.keys.openssl import openssl
from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem
from lab.keys.random_keys import random_key

KEY = random_key(32)


def test_a_good_key_is_reported_with_its_check_values(custodian, put_file):
    cmac = openssl("mac", "-cipher", "AES-256-CBC", "-macopt", f"hexkey:{KEY.hex()}", "CMAC", stdin=bytes(16))
    ecb = openssl("enc", "-aes-256-ecb", "-nopad", "-K", KEY.hex(), stdin=bytes(16))

    done = custodian.run("check", put_file("key.bin", KEY), "--key-spec", "SYMMETRIC_DEFAULT")

    assert (done.code, done.err) == (0, "")
    assert done.text == (
        "Key spec:          SYMMETRIC_DEFAULT\n"
        "Material:          32 bytes, valid\n"
        f"Check value:       CMAC:{cmac.decode().strip()[:10]}\n"
        f"                   ECB:{ecb.hex().upper()[:6]}\n"
    )


@pytest.mark.parametrize(("spec", "size", "digest"), [("HMAC_224", 28, "sha224"), ("HMAC_512", 64, "sha512")])
def test_the_check_value_of_an_hmac_key_is_openssl_s(custodian, put_file, spec, size, digest):
    key = random_key(size)
    hmac = ("mac", "-digest", digest, "-macopt", f"hexkey:{key.hex()}", "HMAC")
    mac = openssl(*hmac).decode().strip()
    confirmation = openssl(*hmac, stdin=CONFIRMATION_MESSAGE).decode().strip()

    done = custodian.run("check", put_file("key.bin", key), "--key-spec", spec, "--json")

    assert done.code == 0
    assert json.loads(done.out) == {
        "in_order": True,
        "key_spec": spec,
        "material_bytes": size,
        "check_values": [f"HMAC:{mac[:10]}"],
        "confirmation_mac": confirmation,
    }


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"])
def test_of_a_private_key_the_public_key_is_shown(custodian, put_file, spec):
    key = put_file("key.pem", pkcs8_pem(key_for(spec)))
    public_key = openssl("pkey", "-pubout", "-in", "key.pem", cwd=custodian.folder).decode()
    der = openssl("pkey", "-pubout", "-outform", "DER", "-in", "key.pem", cwd=custodian.folder)
    sha_256 = openssl("dgst", "-sha256", "-r", stdin=der).decode().split()[0]

    as_text = custodian.run("check", key, "--key-spec", spec)
    as_json = custodian.run("check", key, "--key-spec", spec, "--json")

    assert as_text.code == as_json.code == 0
    found = json.loads(as_json.out)
    assert found["public_key"] == public_key
    assert found["check_values"] == [f"SHA256:{sha_256.upper()}"]
    assert f"SHA256:{sha_256.upper()}" in as_text.text
    assert [line for line in public_key.splitlines() if line not in as_text.text] == []


def test_a_check_value_on_paper_is_compared(custodian, put_file):
    key = put_file("key.bin", KEY)
    cmac = json.loads(custodian.run("check", key, "--key-spec", "SYMMETRIC_DEFAULT", "--json").out)["check_values"][0]

    right = custodian.run("check", key, "--key-spec", "SYMMETRIC_DEFAULT", "--expected-check-value", cmac.lower())
    wrong = custodian.run("check", key, "--key-spec", "SYMMETRIC_DEFAULT", "--expected-check-value", "CMAC:000000")

    assert right.code == 0
    assert (wrong.code, wrong.out) == (1, b"")
    assert wrong.err == (
        "--expected-check-value: The material has another check value than the one declared. "
        "Name the file that holds the right key, or correct --expected-check-value.\n"
    )


def test_all_that_is_wrong_is_reported_at_once(custodian, put_file):
    key = put_file("key.bin", bytes(32) + b"\n")

    done = custodian.run("check", key, "--key-spec", "SYMMETRIC_DEFAULT", "--expected-check-value", "377822")

    assert (done.code, done.out) == (1, b"")
    assert done.err == (
        "3 things are wrong.\n"
        "--expected-check-value: The value is not a check value of a key of spec SYMMETRIC_DEFAULT. "
        "Write CMAC: and 6 to 10 hex digits (an even number), or ECB: and 6 hex digits.\n"
        "key.bin: The material is 33 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. "
        "Often a newline was stored, too: write it with printf, not echo.\n"
        "key.bin: The material is not random: all bytes of one half are equal: a shorter key was padded. "
        "Give 32 bytes of a random number generator, for example of openssl rand 32.\n"
    )


@pytest.mark.parametrize(("encoding", "text"), [("BASE64", base64.b64encode(KEY).decode()), ("HEX", KEY.hex())])
def test_text_that_nobody_decoded_is_reported_with_its_encoding(custodian, put_file, encoding, text):
    done = custodian.run("check", put_file("key.txt", f"{text}\n"), "--key-spec", "HMAC_256")

    assert (done.code, done.out) == (1, b"")
    assert done.err == (
        f"key.txt: The bytes are a text that nobody decoded: an HMAC_256 key in {encoding}. Set --encoding to "
        f"{encoding}, or decode it first.\n"
    )


CMS = b"\x01\x02\x02\x00\x78" + random_key(80) + bytes.fromhex("06092a864886f70d010706") + random_key(96)
NOISE = b"\x01" + random_key(1479)
BY_KMS = "Only KMS opens it, and it can't be checked here: key-custodian put stores it."
WRAP_A_KEY = "If it is a key, never store it so: wrap it. If you know that it is wrapped, key-custodian put stores it."


@pytest.mark.parametrize(
    ("data", "how"),
    [
        (NOISE[:256], "256 bytes are what RSA-OAEP gives under an RSA_2048 key"),
        (NOISE[:512], "512 bytes are what RSA-OAEP gives under an RSA_4096 key"),
        (NOISE[:400], "400 bytes are what RSA_AES_KEY_WRAP gives, for example under an RSA_2048 key"),
        (NOISE[:1480], "1480 bytes are what RSA_AES_KEY_WRAP gives, for example under an RSA_2048 key"),
        (CMS, "it begins like a ciphertext of kms:Encrypt"),
    ],
)
@pytest.mark.parametrize(
    ("spec", "problem", "if_not"),
    [
        ("SYMMETRIC_DEFAULT", "The material is {} bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32.", "key"),
        ("RSA_2048", "The material is neither a PEM nor DER.", "key, as PEM or DER"),
    ],
)
def test_wrapped_material_in_place_of_a_key_is_called_wrapped(custodian, put_file, data, how, spec, problem, if_not):
    """And it is not to be replaced by random bytes. By its size it may be a key as well, which put must not get."""
    done = custodian.run("check", put_file("wrapped.bin", data), "--key-spec", spec)

    assert (done.code, done.out) == (1, b"")
    wrapped = f"It looks wrapped: {how}. {BY_KMS}" if data is CMS else f"It may be wrapped: {how}. {WRAP_A_KEY}"
    assert done.err == (
        f"wrapped.bin: {problem.format(len(data))} {wrapped} If it is not, name the file that holds the {if_not}.\n"
    )


@pytest.mark.parametrize("size", [257, 264, 272, 300, 392])
def test_what_has_no_length_of_wrapped_material_is_only_perhaps_wrapped(custodian, put_file, size):
    done = custodian.run("check", put_file("key.bin", NOISE[:size]), "--key-spec", "SYMMETRIC_DEFAULT")

    looks_wrapped = size in {272, 392}
    assert ("It may be wrapped: " in done.err, "Is it wrapped? Then only KMS" in done.err) == (
        looks_wrapped,
        not looks_wrapped,
    )


def test_text_as_long_as_wrapped_material_is_called_text(custodian, put_file):
    """Base64 of 192 bytes has 256 characters."""
    text = base64.b64encode(random_key(192))

    done = custodian.run("check", put_file("key.b64", text), "--key-spec", "RSA_2048")

    assert done.err.startswith("key.b64: The material reads as text (printable ASCII), and is neither a PEM nor DER.")


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_512", "RSA_2048", "ECC_NIST_P256"])
def test_material_that_is_valid_is_taken_whatever_it_looks_like(custodian, put_file, spec):
    """What looks wrapped changes words only. An HMAC key of 128 bytes passes with its check value, whatever is in it."""
    key = pkcs8_pem(key_for(spec)) if spec.startswith(("RSA", "ECC")) else random_key(KEY_SPECS[spec].form.size_bytes)

    assert custodian.run("check", put_file("key", key), "--key-spec", spec.lower()).code == 0
    if spec == "HMAC_512":
        value = hmac.digest(CMS[:128], b"", "sha512").hex()[:10]
        long = custodian.run(
            "check", put_file("long", CMS[:128]), "--key-spec", spec, "--expected-check-value", f"HMAC:{value}"
        )
        assert long.code == 0


@pytest.mark.parametrize("data", [b"\n", b" \r\n\t "])
def test_a_file_with_nothing_but_a_newline_is_called_empty(custodian, put_file, data):
    done = custodian.run("check", put_file("key.bin", data), "--key-spec", "HMAC_256")
    piped = custodian.run("check", "-", "--key-spec", "HMAC_256", stdin=data)

    rest = "empty, except for white space. The program that should have written it may have failed: check it first.\n"
    assert (done.code, done.err) == (1, f"key.bin: The file is {rest}")
    assert (piped.code, piped.err) == (1, f"standard input: It is {rest}")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("AES-256", " For AES-256 it is SYMMETRIC_DEFAULT; KMS has no other AES keys."),
        ("aes_256", " For AES-256 it is SYMMETRIC_DEFAULT; KMS has no other AES keys."),
        ("AES", " For AES-256 it is SYMMETRIC_DEFAULT; KMS has no other AES keys."),
        ("Aes128", " For AES-256 it is SYMMETRIC_DEFAULT; KMS has no other AES keys."),
        ("aes-256-gcm", " For AES-256 it is SYMMETRIC_DEFAULT; KMS has no other AES keys."),
        ("hmac-256", " Did you mean HMAC_256?"),
        ("RSA2048", " Did you mean RSA_2048?"),
        ("symmetric", " Did you mean SYMMETRIC_DEFAULT?"),
        ("P-256", " Did you mean ECC_NIST_P256?"),
        ("secp256r1", " Did you mean ECC_NIST_P256?"),
        ("ECC_SECP256R1", " Did you mean ECC_NIST_P256?"),
        ("prime256v1", " Did you mean ECC_NIST_P256?"),
        ("EC_P256", " Did you mean ECC_NIST_P256?"),
        ("NIST P-384", " Did you mean ECC_NIST_P384?"),
        ("secp384r1", " Did you mean ECC_NIST_P384?"),
        ("P-521", " Did you mean ECC_NIST_P521?"),
        ("secp521r1", " Did you mean ECC_NIST_P521?"),
        ("secp256k1", " Did you mean ECC_SECG_P256K1?"),
        ("Ed25519", " Did you mean ECC_NIST_EDWARDS25519?"),
        *[(one, "") for one in ("HMAC", "HMAC_128", "HMAC_SHA_1", "RSA_1024", "ECC_NIST_P192", "EDWARDS448")],
        ("", ""),
    ],
)
def test_a_key_spec_that_kms_does_not_have_is_answered_with_a_hint_and_nothing_is_guessed(
    custodian, put_file, given, hint
):
    done = custodian.run("check", put_file("key.bin", KEY), "--key-spec", given)

    assert (done.code, done.out) == (2, b"")
    assert done.err.splitlines()[-1] == (
        f"Error: Invalid value for '--key-spec': it is not one of {', '.join(KEY_SPECS)}.{hint}"
    )


@pytest.mark.parametrize("spec", ["hmac_256", "Hmac_256", "HMAC_256"])
def test_a_key_spec_is_taken_in_any_case(custodian, put_file, spec):
    told = custodian.run("check", put_file("key.bin", KEY), "--key-spec", spec, "--json")

    assert json.loads(told.out)["key_spec"] == "HMAC_256"


def test_what_is_refused_is_reported_as_json_too(custodian, put_file):
    done = custodian.run("check", put_file("key.bin", KEY[:-1]), "--key-spec", "HMAC_256", "--json")

    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out) == {
        "in_order": False,
        "key_spec": "HMAC_256",
        "faults": [
            {
                "where": "key.bin",
                "problem": "The material is 31 bytes long, and an HMAC_256 key takes 32 to 128.",
                "remedy": "Give 32 bytes of a random number generator, for example of openssl rand 32.",
            }
        ],
    }


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (KEY.hex(), ("--encoding", "HEX")),
        (f"{KEY.hex()}\n", ("--encoding", "HEX")),
        (openssl("base64", stdin=KEY), ("--encoding", "BASE64")),
        (json.dumps({"key": openssl("base64", "-A", stdin=KEY).decode()}), ("--json-key", "key")),
        (json.dumps({"key": KEY.hex()}), ("--json-key", "key", "--encoding", "HEX")),
    ],
    ids=["hex", "hex and a newline", "base64", "JSON", "hex in JSON"],
)
def test_encoded_material_is_the_same_material(custodian, put_file, text, options):
    raw = custodian.run("check", put_file("key.bin", KEY), "--key-spec", "HMAC_256")

    encoded = custodian.run("check", put_file("key.txt", text), "--key-spec", "HMAC_256", *options)

    assert encoded == raw
    assert raw.code == 0


def test_material_comes_by_a_pipe(custodian, put_file):
    from_file = custodian.run("check", put_file("key.bin", KEY), "--key-spec", "HMAC_256")

    assert custodian.run("check", "-", "--key-spec", "HMAC_256", stdin=KEY) == from_file


def test_typed_material_is_not_echoed(custodian):
    with custodian.at_terminal("check", "-", "--key-spec", "HMAC_256", "--encoding", "HEX") as terminal:
        terminal.waits_for("Material (is not shown): ")
        terminal.types(KEY.hex())
        assert terminal.ends() == 0

    assert "HMAC:" in terminal.transcript
    assert KEY.hex()[:8] not in terminal.transcript


def test_typed_material_needs_its_encoding(custodian):
    with custodian.at_terminal("check", "-", "--key-spec", "HMAC_256") as terminal:
        assert terminal.ends() == 2

    assert "Typed material is text: add --encoding HEX or --encoding BASE64." in terminal.transcript


REFUSED = {
    "PEM for a secret key": (pkcs8_pem(key_for("ECC_NIST_P256")), "HMAC_256", ()),
    "encrypted": (pkcs8_pem(key_for("ECC_NIST_P256"), b"secret password"), "ECC_NIST_P256", ()),
    "PEM said to be hex": (pkcs8_pem(key_for("ECC_NIST_P256")), "ECC_NIST_P256", ("--encoding", "HEX")),
    "no PEM": (pkcs8_der(key_for("ECC_NIST_P256")), "ECC_NIST_P256", ("--encoding", "PEM")),
    "PEM in base64": (
        openssl("base64", stdin=pkcs8_pem(key_for("ECC_NIST_P256")).encode()),
        "ECC_NIST_P256",
        ("--encoding", "BASE64"),
    ),
    "another curve": (pkcs8_pem(key_for("ECC_NIST_P256")), "ECC_NIST_P384", ()),
    "hex read raw": (KEY.hex(), "HMAC_512", ()),
    "hex read as base64": (KEY.hex(), "HMAC_384", ("--encoding", "BASE64")),
    "not hex": ("no hex at all", "HMAC_256", ("--encoding", "HEX")),
    "private key for an HMAC key": (pkcs8_der(key_for("ECC_NIST_EDWARDS25519")), "HMAC_384", ()),
    "no JSON": (b"\xff", "HMAC_256", ("--json-key", "key")),
    "no field": ("{}", "HMAC_256", ("--json-key", "key")),
    "field no string": ('{"key": 1}', "HMAC_256", ("--json-key", "key")),
    "a list": ("[]", "HMAC_256", ("--json-key", "key")),
    "raw in JSON": ('{"key": "AAAA"}', "HMAC_256", ("--json-key", "key", "--encoding", "RAW")),
    "text for a private key": ("not a key, but a sentence", "RSA_2048", ()),
    "empty": (b"", "HMAC_256", ()),
}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("check", "key.bin"), "key.bin: The file is empty."),
        (("check", "-"), "standard input: It is empty."),
        (("wrap", "key.bin", "--wrapping-key", "empty.der", "--out", "wrapped.bin"), "empty.der: The file is empty."),
    ],
)
def test_an_empty_file_is_called_that(custodian, put_file, arguments, problem):
    """A pipe whose first command failed leaves such a file: its hash and its length would mislead."""
    put_file("key.bin", b"")
    put_file("empty.der", b"")

    done = custodian.run(*arguments, "--key-spec", "HMAC_256")

    assert (done.code, done.out) == (1, b"")
    assert done.err == f"{problem} The program that should have written it may have failed: check it first.\n"


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_speaks_of_files_and_options(custodian, put_file, name):
    data, spec, options = REFUSED[name]

    done = custodian.run("check", put_file("key.bin", data), "--key-spec", spec, *options)

    assert (done.code, done.out) == (1, b"")
    for word in (
        "Secret",
        "secret",
        "MaterialEncoding",
        "ExpectedCheckValue",
        "Traceback",
        "Store",
        "the --e",
        "an --e",
    ):
        assert word not in done.err
    assert done.err.startswith(("key.bin: ", "--encoding: ", "--json-key: "))


def test_a_file_that_others_may_read_is_warned_of(custodian, put_file, tmp_path):
    key = put_file("key.bin", KEY)
    (tmp_path / key).chmod(0o644)

    done = custodian.run("check", key, "--key-spec", "HMAC_256")

    assert done.code == 0
    assert done.err == "Warning: key.bin: not only its owner may read this file (mode 0644): chmod 600.\n"


def test_a_file_that_is_not_there_is_reported(custodian):
    done = custodian.run("check", "key.bin", "--key-spec", "HMAC_256")

    assert (done.code, done.err) == (
        1,
        "key.bin: The file can't be read: it does not exist. Check the name and the permissions.\n",
    )


@pytest.mark.parametrize("source", ["file", "pipe"])
def test_what_no_secret_can_hold_is_not_read(custodian, put_file, source):
    data = bytes(65_537)
    name = put_file("key.bin", data) if source == "file" else "-"

    done = custodian.run("check", name, "--key-spec", "HMAC_256", stdin=data)

    where = "key.bin" if source == "file" else "standard input"
    assert (done.code, done.err) == (
        1,
        f"{where}: It holds more than 65,536 bytes, which is all that a secret can hold. Name a file that holds only "
        "the key.\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "key.bin"),
        ("check", "--key-spec", "HMAC_256"),
        ("check", "key.bin", "--key-spec", "AES"),
        ("check", "key.bin", "--key-spec", "HMAC_256", "--encoding", "TEXT"),
        ("check", "key.bin", "--key-spec", "HMAC_256", "--unknown"),
        ("chek", "key.bin"),
    ],
)
def test_a_wrong_call_ends_with_2(custodian, put_file, arguments):
    put_file("key.bin", KEY)

    done = custodian.run(*arguments)

    assert (done.code, done.out) == (2, b"")
    assert "Error: " in done.err
