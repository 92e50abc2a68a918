"""`key-custodian wrap` under a public key file: OpenSSL opens what it wraps, by every algorithm."""

import base64
import hashlib
import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from imported_key_material.material.proof import CONFIRMATION_MESSAGE
from lab.keys.openssl import openssl
from lab.keys.private_keys import ec_key, pkcs8_der, pkcs8_pem, rsa_key, spki_der
from lab.keys.random_keys import random_key

KEY = random_key(32)
HMAC = ("--key-spec", "HMAC_256")
TO_FILE = ("--wrapping-key", "transport.pem", "--out", "wrapped.bin")
HASHES = {"SHA_1": "sha1", "SHA_256": "sha256"}


def openssl_opens(folder, algorithm):
    """Unwraps wrapped.bin with the private key, only by OpenSSL's two commands."""
    kind, _, hash_name = algorithm.rpartition("_SHA_")
    digest = HASHES[f"SHA_{hash_name}"]
    (folder / "private.pem").write_text(pkcs8_pem(rsa_key(2048)))
    options = (
        "-pkeyopt",
        "rsa_padding_mode:oaep",
        "-pkeyopt",
        f"rsa_oaep_md:{digest}",
        "-pkeyopt",
        f"rsa_mgf1_md:{digest}",
    )
    wrapped = (folder / "wrapped.bin").read_bytes()
    plain = openssl("pkeyutl", "-decrypt", "-inkey", "private.pem", *options, stdin=wrapped[:256], cwd=folder)
    if kind == "RSAES_OAEP":
        assert len(wrapped) == 256
        return plain
    return openssl("enc", "-d", "-id-aes256-wrap-pad", "-iv", "A65959A6", "-K", plain.hex(), stdin=wrapped[256:])


@pytest.mark.parametrize(
    "algorithm",
    ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"],
)
@pytest.mark.usefixtures("transport")
def test_openssl_opens_what_is_wrapped(custodian, put_file, tmp_path, algorithm):
    done = custodian.run("wrap", put_file("key.bin", KEY), *HMAC, *TO_FILE, "--algorithm", algorithm)

    assert (done.code, done.err) == (0, f"Wrapping with {algorithm}: as asked.\n")
    assert openssl_opens(tmp_path, algorithm) == KEY
    assert stat.S_IMODE((tmp_path / "wrapped.bin").stat().st_mode) == 0o600


@pytest.mark.usefixtures("transport")
def test_a_private_key_is_wrapped_as_kms_takes_it(custodian, put_file, tmp_path):
    key = put_file("signing.pem", pkcs8_pem(rsa_key(3072)))

    done = custodian.run("wrap", key, "--key-spec", "RSA_3072", *TO_FILE)

    size = len(pkcs8_der(rsa_key(3072)))
    assert done.err == (
        f"Wrapping with RSA_AES_KEY_WRAP_SHA_256: the best for {size} bytes of an RSA_3072 key under RSA_2048.\n"
    )
    assert openssl_opens(tmp_path, "RSA_AES_KEY_WRAP_SHA_256") == pkcs8_der(rsa_key(3072))


@pytest.mark.usefixtures("transport")
def test_the_report_says_what_to_write_down_and_what_comes_next(custodian, put_file, tmp_path):
    done = custodian.run("wrap", put_file("key.bin", KEY), *HMAC, *TO_FILE)

    by_hmac = ("mac", "-digest", "sha256", "-macopt", f"hexkey:{KEY.hex()}", "HMAC")
    mac = openssl(*by_hmac).decode()[:10]
    confirmation = openssl(*by_hmac, stdin=CONFIRMATION_MESSAGE)
    assert done.text == (
        "Key spec:          HMAC_256\n"
        "Material:          32 bytes, valid\n"
        f"Check value:       HMAC:{mac}\n"
        f"Confirmation MAC:  {confirmation.decode().strip()}\n"
        "Wrapping key:      transport.pem (RSA_2048)\n"
        f"  its check value: SHA256:{hashlib.sha256(spki_der(rsa_key(2048))).hexdigest().upper()}\n"
        "Wrapped with:      RSAES_OAEP_SHA_256\n"
        "Wrapped material:  wrapped.bin, 256 bytes\n"
        f"  its SHA-256:     {hashlib.sha256((tmp_path / 'wrapped.bin').read_bytes()).hexdigest()}\n"
        "\n"
        "In the template, as properties of the resource:\n"
        "  SecretWrapping: {Algorithm: RSAES_OAEP_SHA_256, KeyId: <the RSA key in KMS that has this public key>}\n"
        f"  ExpectedCheckValue: HMAC:{mac}\n"
        "\n"
        "Write down the check value. Next, where there is a network:\n"
        "  key-custodian put wrapped.bin --secret SECRET --stack STACK \\\n"
        "      --key-spec HMAC_256 --algorithm RSAES_OAEP_SHA_256 \\\n"
        f"      --expected-check-value HMAC:{mac} \\\n"
        "      --wrapping-key KEY\n"
    )


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize(("out", "named"), [("-x.bin", "./-x.bin"), ("a\x1b[2J.bin", "FILE"), ("a b", "'a b'")])
def test_the_command_that_comes_next_names_the_file_so_that_it_is_no_option(custodian, put_file, out, named):
    done = custodian.run("wrap", put_file("key.bin", KEY), *HMAC, "--wrapping-key", "transport.pem", f"--out={out}")

    assert f"\n  key-custodian put {named} --secret SECRET " in done.text


@pytest.mark.usefixtures("transport")
def test_wrapped_bytes_go_into_a_pipe_and_the_report_to_stderr(custodian, put_file, tmp_path):
    arguments = ("wrap", put_file("key.bin", KEY), *HMAC, "--wrapping-key", "transport.pem", "--out", "-", "--json")

    done = custodian.run(*arguments)

    (tmp_path / "wrapped.bin").write_bytes(done.out)
    assert openssl_opens(tmp_path, "RSAES_OAEP_SHA_256") == KEY
    said, report = done.err.split("\n", 1)
    assert said.startswith("Wrapping with ")
    assert json.loads(report)["wrapped"] == {"file": None, "bytes": 256}


@pytest.mark.usefixtures("transport")
def test_wrapped_bytes_are_not_shown_on_a_terminal(custodian, put_file):
    key = put_file("key.bin", KEY)
    with custodian.at_terminal("wrap", key, *HMAC, "--wrapping-key", "transport.pem", "--out", "-") as terminal:
        assert terminal.ends() == 1

    assert terminal.transcript == (
        "--out: These are bytes, and standard output is a terminal. "
        "Name a file, or send standard output into one or into a pipe.\n"
    )


@pytest.mark.usefixtures("transport")
def test_a_key_that_may_be_guessable_is_wrapped_without_a_check_value_of_ours(custodian, put_file):
    passphrase = b"correct horse battery staple 12!"
    expected = openssl("mac", "-digest", "sha256", "-macopt", f"hexkey:{passphrase.hex()}", "HMAC").decode()[:6]
    key = put_file("key.txt", passphrase)

    done = custodian.run("wrap", key, *HMAC, *TO_FILE, "--expected-check-value", f"HMAC:{expected}")

    assert done.code == 0
    said = "not shown: the material passed by --expected-check-value, and may be guessable"
    assert f"Check value:       {said}\n" in done.text
    assert "HMAC:" not in done.text
    assert "Confirmation MAC" not in done.text


@pytest.mark.parametrize(
    "form", [(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), (Encoding.PEM, PublicFormat.PKCS1)]
)
def test_the_wrapping_key_may_be_der_or_pkcs1(custodian, put_file, tmp_path, form):
    put_file("transport.pem", rsa_key(2048).public_key().public_bytes(*form))

    assert custodian.run("wrap", put_file("key.bin", KEY), *HMAC, *TO_FILE).code == 0

    assert openssl_opens(tmp_path, "RSAES_OAEP_SHA_256") == KEY


# ------------------------------------------------------------------------------------------------------------- refused


def refused(custodian, put_file, *arguments):
    """Returns the stderr of a wrap that fails, after a check that the folder has no new file."""
    key = put_file("key.bin", KEY)
    before = sorted(path.name for path in custodian.folder.iterdir())
    done = custodian.run("wrap", key, *HMAC, *arguments)
    assert (done.code, done.out) == (1, b"")
    assert sorted(path.name for path in custodian.folder.iterdir()) == before
    return done.err


def spki(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_private_key_is_no_wrapping_key(custodian, put_file):
    put_file("transport.pem", pkcs8_pem(rsa_key(2048)))

    assert refused(custodian, put_file, *TO_FILE) == (
        "transport.pem: The file holds a private key, and material is wrapped under a public one. Take the public key out of "
        "it: openssl pkey -in private.pem -pubout -out public.pem. Guard the private one.\n"
    )


def test_a_certificate_is_no_wrapping_key(custodian, put_file):
    put_file("private.pem", pkcs8_pem(rsa_key(2048)))
    certificate = openssl("req", "-x509", "-key", "private.pem", "-subj", "/CN=transport", cwd=custodian.folder)
    put_file("transport.pem", certificate)

    assert refused(custodian, put_file, *TO_FILE) == (
        "transport.pem: The file holds a certificate, and a bare public key is expected. "
        "Take it out: openssl x509 -in certificate.pem -pubkey -noout > public.pem.\n"
    )


@pytest.mark.usefixtures("transport")
def test_the_wrapping_key_s_own_private_key_is_no_material(custodian, put_file, tmp_path):
    """The user has mixed up the two files of a key pair."""
    private = put_file("key.pem", pkcs8_pem(rsa_key(2048)).encode())

    done = custodian.run("wrap", private, "--key-spec", "RSA_2048", *TO_FILE)

    assert (done.code, done.out) == (1, b"")
    assert done.err.splitlines()[-1] == (
        "FILE: The material is the private key of --wrapping-key itself: anyone who has it opens all wrapped "
        "material. Wrap under another "
        "key, which KMS made."
    )
    assert not (tmp_path / "wrapped.bin").exists()


@pytest.mark.usefixtures("transport")
def test_a_secret_s_name_binds_nothing_under_an_rsa_key(custodian, put_file):
    done = custodian.run("wrap", put_file("key.bin", KEY), *HMAC, *TO_FILE, "--secret", "orders/mac-key")

    assert done.code == 0
    assert (
        "Warning: --secret binds nothing under an RSA key: the file opens in any secret whose tag names the stack."
    ) in done.err.splitlines()


@pytest.mark.parametrize("data", [spki(ec_key()), random_key(294)])
def test_another_key_or_no_key_is_no_wrapping_key(custodian, put_file, data):
    put_file("transport.pem", data)

    assert refused(custodian, put_file, *TO_FILE) == (
        "transport.pem: The file holds no public RSA key in PEM or DER. "
        "aws kms get-public-key gives one in DER (--query PublicKey --output text | base64 --decode).\n"
    )


def test_a_public_key_that_was_not_decoded_is_called_text(custodian, put_file):
    """The page's first command leaves base64 in transport.b64."""
    put_file("transport.pem", base64.b64encode(spki(rsa_key(2048))))

    assert refused(custodian, put_file, *TO_FILE) == (
        "transport.pem: The file holds text (printable ASCII), and no PEM: perhaps base64 that was not decoded. "
        "Decode it first: base64 --decode < transport.b64 > transport.der.\n"
    )


def test_an_empty_file_is_no_wrapping_key_and_is_called_empty(custodian, put_file):
    """A failed pipe leaves such a file."""
    put_file("transport.pem", b"")

    assert refused(custodian, put_file, *TO_FILE) == (
        "transport.pem: The file is empty. The program that should have written it may have failed: check it first.\n"
    )


def test_a_short_rsa_key_is_no_wrapping_key(custodian, put_file):
    put_file("transport.pem", spki(rsa.generate_private_key(65537, 1024)))  # noqa: S505  # what is refused

    assert refused(custodian, put_file, *TO_FILE) == (
        "transport.pem: The RSA key has 1024 bits, and the keys of KMS that unwrap have 2048, 3072, 4096. "
        "Name the public key of an RSA key in KMS.\n"
    )


@pytest.mark.usefixtures("transport")
def test_the_wrapping_key_is_compared_with_paper(custodian, put_file):
    right = hashlib.sha256(spki_der(rsa_key(2048))).hexdigest().upper()

    told = refused(custodian, put_file, *TO_FILE, "--wrapping-key-check-value", f"SHA256:{'0' * 64}")

    assert told == (
        f"--wrapping-key-check-value: The wrapping key's check value is SHA256:{right}, and another one is on paper. "
        "Do not use this key: the holder of its private key could read the material.\n"
    )
    done = custodian.run("wrap", "key.bin", *HMAC, *TO_FILE, "--wrapping-key-check-value", f"sha256:{right.lower()}")
    assert done.code == 0


@pytest.mark.usefixtures("transport")
def test_symmetric_default_is_no_algorithm_of_an_rsa_key(custodian, put_file):
    assert refused(custodian, put_file, *TO_FILE, "--algorithm", "SYMMETRIC_DEFAULT") == (
        "--algorithm: SYMMETRIC_DEFAULT is for a symmetric key in KMS, and transport.pem is an RSA key. "
        "Leave --algorithm out, or name a symmetric key of KMS.\n"
    )


@pytest.mark.usefixtures("transport")
def test_what_oaep_can_not_carry_is_refused(custodian, put_file, tmp_path):
    key = put_file("signing.pem", pkcs8_pem(rsa_key(3072)))
    size = len(pkcs8_der(rsa_key(3072)))

    done = custodian.run("wrap", key, "--key-spec", "RSA_3072", *TO_FILE, "--algorithm", "RSAES_OAEP_SHA_256")

    assert done.code == 1
    assert done.err == (
        "Wrapping with RSAES_OAEP_SHA_256: as asked.\n"
        f"--algorithm: OAEP under this wrapping public key carries 190 bytes at most, and the material has {size}. "
        "Use a larger wrapping public key, or RSA_AES_KEY_WRAP_SHA_256.\n"
    )
    assert not (tmp_path / "wrapped.bin").exists()


@pytest.mark.usefixtures("transport")
def test_a_file_that_exists_is_not_overwritten(custodian, put_file, tmp_path):
    put_file("wrapped.bin", b"older")

    assert refused(custodian, put_file, *TO_FILE) == (
        "--out: wrapped.bin exists, and no file is ever overwritten. Name another, or move this one away.\n"
    )
    assert (tmp_path / "wrapped.bin").read_bytes() == b"older"


@pytest.mark.usefixtures("transport")
def test_a_link_is_not_followed(custodian, put_file, tmp_path):
    (tmp_path / "wrapped.bin").symlink_to(tmp_path / "elsewhere.bin")

    assert refused(custodian, put_file, *TO_FILE) == (
        "--out: wrapped.bin exists, and no file is ever overwritten. Name another, or move this one away.\n"
    )
    assert not (tmp_path / "elsewhere.bin").exists()


@pytest.mark.usefixtures("transport")
def test_a_folder_that_is_not_there_is_reported_before_anything_is_read(custodian):
    done = custodian.run("wrap", "no-key.bin", *HMAC, "--wrapping-key", "transport.pem", "--out", "there/wrapped.bin")

    assert (done.code, done.err) == (
        1,
        "--out: There is no folder there. Make it first, best with access only for its owner.\n",
    )


@pytest.mark.usefixtures("transport")
def test_material_that_is_refused_leaves_no_file(custodian, put_file, tmp_path):
    done = custodian.run("wrap", put_file("key.bin", bytes(32)), *HMAC, *TO_FILE)

    assert (done.code, done.out) == (1, b"")
    assert not (tmp_path / "wrapped.bin").exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--out", "wrapped.bin"), "Missing --wrapping-key: material is written wrapped, under a key, to a new file."),
        (
            ("--wrapping-key", "transport.pem"),
            "Missing --out: material is written wrapped, under a key, to a new file.",
        ),
        ((*TO_FILE, "--account", "1234"), "Invalid value for '--account': That is no account id: 12 digits."),
        (
            (*TO_FILE, "--secret", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf"),
            "--secret is the secret's name, not its ARN: the encryption context holds the name.",
        ),
    ],
)
@pytest.mark.usefixtures("transport")
def test_a_wrong_call_ends_with_2(custodian, put_file, arguments, error):
    done = custodian.run("wrap", put_file("key.bin", KEY), *HMAC, *arguments)

    assert (done.code, done.out) == (2, b"")
    assert done.err.endswith(f"\nError: {error}\n")
