"""`key-custodian wrap` under keys in KMS, against the strict KMS over HTTP: kms:Decrypt unwraps the results."""

import json

import pytest
from botocore.exceptions import ClientError

from imported_key_material.material import check_value, wrapping
from imported_key_material.material.key_specs import key_spec
from key_custodian import transport_key
from lab.keys.private_keys import pkcs8_der, pkcs8_pem, rsa_key
from lab.keys.random_keys import random_keys

KEY, OTHER = random_keys(32, 2)
HMAC = ("--key-spec", "HMAC_256")
OUT = ("--out", "wrapped.bin")
OAEP = {"RSAES_OAEP_SHA_1": "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256": "RSAES_OAEP_SHA_256"}
AES_WRAP = {"RSA_AES_KEY_WRAP_SHA_1": "RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256": "RSAES_OAEP_SHA_256"}


@pytest.fixture
def symmetric(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def rsa(kms):
    return kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]


def hmac_of(key):
    return check_value.compute(key_spec("HMAC_256", partition="aws"), key)


def wrapped(folder):
    return (folder / "wrapped.bin").read_bytes()


def not_aws(address, more):
    return f"Warning: NOT AWS: calls to kms go to {address}. {more}\n"


PLAINTEXT_TOO = "The plaintext goes there, too."
COMPARE = "The public key comes from there: compare its check value with paper."


def test_a_symmetric_key_wraps_for_only_one_secret(online, put_file, kms, kms_url, symmetric, tmp_path):
    kms.create_alias(AliasName="alias/transport", TargetKeyId=symmetric)
    under = ("--wrapping-key", "alias/transport", "--secret", "orders/master-key")

    done = online.run("wrap", put_file("key.bin", KEY), *HMAC, *under, *OUT)

    assert (done.code, done.err) == (
        0,
        not_aws(kms_url, PLAINTEXT_TOO) + "Wrapping with SYMMETRIC_DEFAULT: the only one for a symmetric key in KMS.\n",
    )
    assert f"Wrapping key:      alias/transport = {symmetric}\n" in done.text
    assert "Opens for:         imported-key-material = 111122223333/orders/master-key\n" in done.text
    assert f"  SecretWrapping: {{Algorithm: SYMMETRIC_DEFAULT, KeyId: {symmetric}}}\n" in done.text
    assert "  key-custodian put wrapped.bin --secret orders/master-key --stack STACK \\\n" in done.text
    assert done.text.endswith(f"      --wrapping-key {symmetric}\n")
    context = {"imported-key-material": "111122223333/orders/master-key"}
    answer = kms.decrypt(CiphertextBlob=wrapped(tmp_path), KeyId=symmetric, EncryptionContext=context)
    assert answer["Plaintext"] == KEY
    with pytest.raises(ClientError, match="InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=wrapped(tmp_path), KeyId=symmetric, EncryptionContext={})


def test_the_secret_may_be_of_another_account(online, put_file, kms, symmetric, tmp_path):
    under = ("--wrapping-key", symmetric, "--secret", "orders/master-key", "--account", "999988887777")

    assert online.run("wrap", put_file("key.bin", KEY), *HMAC, *under, *OUT).code == 0

    context = {"imported-key-material": "999988887777/orders/master-key"}
    answer = kms.decrypt(CiphertextBlob=wrapped(tmp_path), KeyId=symmetric, EncryptionContext=context)
    assert answer["Plaintext"] == KEY


def test_a_private_key_fits_under_a_symmetric_key(online, put_file, kms, symmetric, tmp_path):
    key = put_file("signing.pem", pkcs8_pem(rsa_key(4096)))
    under = ("--wrapping-key", symmetric, "--secret", "orders/signing-key")

    assert online.run("wrap", key, "--key-spec", "RSA_4096", *under, *OUT).code == 0

    context = {"imported-key-material": "111122223333/orders/signing-key"}
    answer = kms.decrypt(CiphertextBlob=wrapped(tmp_path), KeyId=symmetric, EncryptionContext=context)
    assert answer["Plaintext"] == pkcs8_der(rsa_key(4096))


@pytest.mark.parametrize("algorithm", [*OAEP, *AES_WRAP])
def test_kms_opens_what_is_wrapped_under_its_public_key(online, put_file, kms, kms_url, rsa, tmp_path, algorithm):
    done = online.run("wrap", put_file("key.bin", KEY), *HMAC, "--wrapping-key", rsa, *OUT, "--algorithm", algorithm)

    assert (done.code, done.err) == (0, f"{not_aws(kms_url, COMPARE)}Wrapping with {algorithm}: as asked.\n")
    assert f"KeyId: {rsa}" in done.text
    assert opened(kms, rsa, algorithm, wrapped(tmp_path)) == KEY


def test_kms_opens_what_was_wrapped_without_a_network(custodian, put_file, kms, rsa, tmp_path):
    put_file("transport.der", kms.get_public_key(KeyId=rsa)["PublicKey"])

    done = custodian.run("wrap", put_file("key.bin", KEY), *HMAC, "--wrapping-key", "transport.der", *OUT, "--json")

    assert opened(kms, rsa, json.loads(done.out)["algorithm"], wrapped(tmp_path)) == KEY


def opened(kms, key, algorithm, blob):
    """Unwraps like the function: kms:Decrypt, and for the RSA_AES pair also RFC 5649."""
    if algorithm in OAEP:
        return kms.decrypt(KeyId=key, CiphertextBlob=blob, EncryptionAlgorithm=OAEP[algorithm])["Plaintext"]
    rsa_block, aes_block = wrapping.split_rsa_aes(blob, 256)
    answer = kms.decrypt(KeyId=key, CiphertextBlob=rsa_block, EncryptionAlgorithm=AES_WRAP[algorithm])
    return bytes(wrapping.unwrap_with_aes(answer["Plaintext"], aes_block))


# ------------------------------------------------------------------------------------------------------------ the Origin


IMPORTED = (
    "The wrapping key's Origin is EXTERNAL: its material was imported, and anyone who has a copy can open what "
    "is wrapped under the key, without KMS and its policy. Use a key that KMS made (Origin AWS_KMS)."
)


@pytest.mark.parametrize("command", ["wrap", "generate", "combine"])
def test_under_a_key_that_was_imported_there_is_a_warning_before_material_is_wrapped(bank, command):
    under = bank.external_key("RSA_2048", pkcs8_der(rsa_key(2048)), usage="ENCRYPT_DECRYPT")
    first, second = bank.file("a.bin", KEY), bank.file("b.bin", OTHER)
    components = ("--component", first, "--component", second)
    values = ("--component-check-value", hmac_of(KEY), "--component-check-value", hmac_of(OTHER))
    of = {"wrap": (first,), "generate": (), "combine": (*components, *values)}[command]

    done = bank.run(command, *of, *HMAC, "--wrapping-key", under, *OUT)

    assert done.code == 0
    address = bank.custodian.environment["AWS_ENDPOINT_URL"]
    assert done.err.startswith(f"{not_aws(address, COMPARE)}Warning: {IMPORTED}\n")
    assert wrapped(bank.folder)


def test_an_imported_symmetric_key_is_warned_of_too(bank):
    under = bank.external_key("SYMMETRIC_DEFAULT", OTHER)

    done = bank.run("wrap", bank.file("key.bin", KEY), *HMAC, "--wrapping-key", under, "--secret", "a", *OUT)

    assert (done.code, done.err.splitlines()[1]) == (0, f"Warning: {IMPORTED}")


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("AWS_KMS", ()),
        ("AWS_CLOUDHSM", ()),
        ("EXTERNAL", (IMPORTED,)),
        (
            "EXTERNAL_KEY_STORE",
            (
                "The wrapping key's Origin is EXTERNAL_KEY_STORE: it is kept outside of AWS by the operator "
                "of that key store, and opens nothing if the store can't be reached.",
            ),
        ),
        (
            "NEW",
            ("The wrapping key's Origin is NEW: this tool does not know who else may hold the key.",),
        ),
        ("", ("The wrapping key's Origin is unknown: this tool does not know who else may hold the key.",)),
    ],
)
def test_what_each_origin_means(origin, told):
    assert transport_key.who_else_holds(origin) == told


# ------------------------------------------------------------------------------------------------------------- refused


def refused(program, put_file, *arguments):
    done = program.run("wrap", put_file("key.bin", KEY), *HMAC, *arguments, *OUT)
    assert (done.code, done.out) == (1, b"")
    assert not (program.folder / "wrapped.bin").exists()
    return done.err


def test_a_symmetric_key_needs_the_secret_s_name(online, put_file, symmetric):
    assert refused(online, put_file, "--wrapping-key", symmetric) == (
        "--secret: Under a symmetric key of KMS, material is wrapped for one secret, whose name is missing. "
        "Name it as Secrets Manager will: --secret orders/master-key.\n"
    )


def test_an_algorithm_of_rsa_is_none_of_a_symmetric_key(online, put_file, kms_url, symmetric):
    told = refused(
        online, put_file, "--wrapping-key", symmetric, "--secret", "a", "--algorithm", "RSA_AES_KEY_WRAP_SHA_256"
    )

    assert told == (
        f"{not_aws(kms_url, PLAINTEXT_TOO)}"
        f"--algorithm: RSA_AES_KEY_WRAP_SHA_256 is for an RSA key, and {symmetric} is a symmetric key of KMS. "
        "Leave --algorithm out, or name an RSA key.\n"
    )


@pytest.mark.parametrize(("spec", "usage"), [("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")])
def test_a_key_that_does_not_encrypt_is_refused(online, put_file, kms, spec, usage):
    arn = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]

    assert refused(online, put_file, "--wrapping-key", arn) == (
        f"--wrapping-key: The key's spec is {spec} and its usage {usage}, and such a key wraps nothing. "
        "Name a SYMMETRIC_DEFAULT or RSA key for ENCRYPT_DECRYPT.\n"
    )


def test_a_disabled_key_is_refused(online, put_file, kms, rsa):
    kms.disable_key(KeyId=rsa)

    assert refused(online, put_file, "--wrapping-key", rsa) == (
        "--wrapping-key: The key is Disabled, and only an Enabled key wraps. Enable it, or name another.\n"
    )


def test_a_key_that_is_not_there_is_reported_with_kms_s_own_words(online, put_file):
    told = refused(online, put_file, "--wrapping-key", "alias/nothing")

    assert told.startswith("--wrapping-key: kms:DescribeKey was refused with NotFoundException: ")
    assert told.endswith(" Check the id, and --region: a key id is valid only in its own Region.\n")


def test_without_credentials_the_remedy_is_reported(custodian, put_file):
    told = refused(custodian, put_file, "--wrapping-key", "alias/transport", "--region", "eu-central-1")

    assert told == (
        "--wrapping-key: kms:DescribeKey failed: Unable to locate credentials. "
        "There are no credentials. Sign in as for the AWS CLI, or name a profile: --profile.\n"
    )


def test_without_a_region_the_remedy_is_reported(custodian, put_file):
    told = refused(custodian, put_file, "--wrapping-key", "alias/transport")

    assert told == "--region: connecting to kms failed: You must specify a region. Name the Region: --region.\n"


def test_a_profile_that_is_not_there_is_reported(custodian, put_file):
    told = refused(custodian, put_file, "--wrapping-key", "alias/transport", "--profile", "bank")

    assert told == (
        "--profile: connecting to kms failed: The config profile (bank) could not be found. "
        "aws configure list-profiles lists them.\n"
    )
