"""The strict KMS encrypts with the imported bytes (docs/internals/kms-contract.md, C-80, C-82, C-86)."""

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lab.keys.by_hand import oaep
from lab.keys.private_keys import key_for, pkcs8_der
from tests.support.kms_bench import OTHER_REGION

MATERIAL = bytes(range(32))
MESSAGE = b"a message"
RSA_AES = "RSA_AES_KEY_WRAP_SHA_256"


def private_key(bench, spec, usage="SIGN_VERIFY"):
    """A KMS key that holds the test key of this spec."""
    key = bench.key(spec, usage)
    bench.put(key, pkcs8_der(key_for(spec)), algorithm=RSA_AES)
    return key


def test_encrypt_names_no_material_and_decrypt_does(bench):
    key = bench.filled_key(MATERIAL)

    sealed = bench.kms.encrypt(KeyId=key, Plaintext=MESSAGE)
    opened = bench.kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])

    assert (sealed["KeyId"], sealed["EncryptionAlgorithm"]) == (key, "SYMMETRIC_DEFAULT")
    assert "KeyMaterialId" not in sealed
    assert (opened["Plaintext"], opened["KeyId"]) == (MESSAGE, key)
    assert opened["KeyMaterialId"] == bench.metadata(key)["CurrentKeyMaterialId"]


@pytest.mark.parametrize("context", [None, {"a": "c"}, {"a": "b", "c": "d"}, {"A": "b"}])
def test_another_encryption_context_opens_nothing_and_the_refusal_has_no_words(bench, context):
    key = bench.filled_key(MATERIAL)
    sealed = bench.kms.encrypt(KeyId=key, Plaintext=MESSAGE, EncryptionContext={"a": "b"})["CiphertextBlob"]

    with bench.refuses("InvalidCiphertextException", ""):
        bench.kms.decrypt(CiphertextBlob=sealed, **({"EncryptionContext": context} if context else {}))


def test_the_order_of_an_encryption_context_does_not_matter(bench):
    key = bench.filled_key(MATERIAL)
    sealed = bench.kms.encrypt(KeyId=key, Plaintext=MESSAGE, EncryptionContext={"a": "b", "c": "d"})["CiphertextBlob"]

    assert bench.kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"c": "d", "a": "b"})["Plaintext"] == MESSAGE


@pytest.mark.parametrize("at", [0, 1, 17, 20, 55, 70, -1])
def test_a_ciphertext_with_one_byte_changed_is_refused_without_a_word(bench, at):
    key = bench.filled_key(MATERIAL)
    sealed = bytearray(bench.kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"])
    sealed[at] ^= 1

    with bench.refuses("InvalidCiphertextException", ""):
        bench.kms.decrypt(CiphertextBlob=bytes(sealed))


@pytest.mark.parametrize("length", [1, 17, 18, 50, 55, 62, 77, 84])
def test_a_ciphertext_that_is_cut_off_is_refused_without_a_word(bench, length):
    sealed = bench.kms.encrypt(KeyId=bench.filled_key(MATERIAL), Plaintext=MESSAGE)["CiphertextBlob"]

    with bench.refuses("InvalidCiphertextException", ""):
        bench.kms.decrypt(CiphertextBlob=sealed[:length])


def test_a_ciphertext_of_another_key_is_an_incorrect_key(bench):
    one, two = bench.filled_key(MATERIAL), bench.filled_key(MATERIAL)
    sealed = bench.kms.encrypt(KeyId=one, Plaintext=MESSAGE)["CiphertextBlob"]
    sentence = "The key ID in the request does not identify a CMK that can perform this operation."

    with bench.refuses("IncorrectKeyException", sentence):
        bench.kms.decrypt(CiphertextBlob=sealed, KeyId=two)


def test_a_ciphertext_of_a_key_of_another_region_opens_nothing(bench):
    sealed = bench.kms.encrypt(KeyId=bench.filled_key(MATERIAL), Plaintext=MESSAGE)["CiphertextBlob"]

    with bench.refuses("InvalidCiphertextException", ""):
        bench.client(OTHER_REGION).decrypt(CiphertextBlob=sealed)


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
@pytest.mark.parametrize("origin", ["EXTERNAL", "AWS_KMS"])
def test_what_is_encrypted_outside_to_an_rsa_key_is_opened_by_kms(bench, algorithm, origin):
    if origin == "EXTERNAL":
        key = private_key(bench, "RSA_2048", "ENCRYPT_DECRYPT")
    else:
        key = bench.key("RSA_2048", "ENCRYPT_DECRYPT", Origin="AWS_KMS")
    public_key = load_der_public_key(bench.kms.get_public_key(KeyId=key)["PublicKey"])

    opened = bench.kms.decrypt(
        KeyId=key, CiphertextBlob=public_key.encrypt(MESSAGE, oaep(algorithm)), EncryptionAlgorithm=algorithm
    )

    assert (opened["Plaintext"], opened["EncryptionAlgorithm"]) == (MESSAGE, algorithm)
    assert "KeyMaterialId" not in opened


def test_an_rsa_ciphertext_under_another_hash_is_refused_without_a_word(bench):
    key = bench.key("RSA_2048", "ENCRYPT_DECRYPT", Origin="AWS_KMS")
    sealed = bench.kms.encrypt(KeyId=key, Plaintext=MESSAGE, EncryptionAlgorithm="RSAES_OAEP_SHA_1")["CiphertextBlob"]

    with bench.refuses("InvalidCiphertextException", ""):
        bench.kms.decrypt(KeyId=key, CiphertextBlob=sealed, EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def test_an_rsa_key_does_not_open_symmetric_ciphertexts(bench):
    key = bench.key("RSA_2048", "ENCRYPT_DECRYPT", Origin="AWS_KMS")
    sentence = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."

    with bench.refuses("InvalidKeyUsageException", sentence):
        bench.kms.encrypt(KeyId=key, Plaintext=MESSAGE)


@pytest.mark.parametrize(("algorithm", "capacity"), [("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)])
def test_rsa_encrypts_what_fits(bench, algorithm, capacity):
    key = bench.key("RSA_2048", "ENCRYPT_DECRYPT", Origin="AWS_KMS")
    sentence = f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {capacity} bytes."

    sealed = bench.kms.encrypt(KeyId=key, Plaintext=bytes(capacity), EncryptionAlgorithm=algorithm)["CiphertextBlob"]
    assert (
        len(bench.kms.decrypt(KeyId=key, CiphertextBlob=sealed, EncryptionAlgorithm=algorithm)["Plaintext"]) == capacity
    )
    with bench.refuses("ValidationException", sentence):
        bench.kms.encrypt(KeyId=key, Plaintext=bytes(capacity + 1), EncryptionAlgorithm=algorithm)


def test_rsa_knows_no_encryption_context(bench):
    key = bench.key("RSA_2048", "ENCRYPT_DECRYPT", Origin="AWS_KMS")

    with bench.refuses("ValidationException", "EncryptionContext cannot be used with asymmetric KMS keys."):
        bench.kms.encrypt(
            KeyId=key, Plaintext=b"m", EncryptionAlgorithm="RSAES_OAEP_SHA_256", EncryptionContext={"a": "b"}
        )


def test_two_rsa_keys_of_kms_s_own_are_not_the_same(bench):
    one, two = (bench.key("RSA_2048", "SIGN_VERIFY", Origin="AWS_KMS") for _ in range(2))

    assert bench.kms.get_public_key(KeyId=one)["PublicKey"] != bench.kms.get_public_key(KeyId=two)["PublicKey"]


def test_data_keys_open_again_with_their_context(bench):
    key = bench.filled_key(MATERIAL)

    shown = bench.kms.generate_data_key(KeyId=key, KeySpec="AES_128", EncryptionContext={"a": "b"})
    hidden = bench.kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=64)

    opened = bench.kms.decrypt(CiphertextBlob=shown["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert (opened["Plaintext"], len(shown["Plaintext"])) == (shown["Plaintext"], 16)
    assert "Plaintext" not in hidden
    assert len(bench.kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]) == 64


@pytest.mark.parametrize("how", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}])
def test_a_data_key_has_a_spec_or_a_size(bench, how):
    key = bench.filled_key(MATERIAL)

    with bench.refuses("ValidationException", "Please specify either number of bytes or key spec."):
        bench.kms.generate_data_key(KeyId=key, **how)


def test_re_encryption_moves_a_message_to_another_key(bench):
    one, two = bench.filled_key(MATERIAL), bench.filled_key(MATERIAL)
    sealed = bench.kms.encrypt(KeyId=one, Plaintext=MESSAGE, EncryptionContext={"a": "b"})["CiphertextBlob"]

    moved = bench.kms.re_encrypt(CiphertextBlob=sealed, SourceEncryptionContext={"a": "b"}, DestinationKeyId=two)

    assert (moved["SourceKeyId"], moved["KeyId"]) == (one, two)
    opened = bench.kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], KeyId=two)
    assert opened["Plaintext"] == MESSAGE
    assert moved["SourceKeyMaterialId"] != moved["DestinationKeyMaterialId"] == opened["KeyMaterialId"]


def test_random_bytes_come_in_the_number_asked_for(bench):
    assert len(bench.kms.generate_random(NumberOfBytes=44)["Plaintext"]) == 44
    with bench.refuses("ValidationException", "NumberOfBytes is required."):
        bench.kms.generate_random()


def test_a_dry_run_says_that_it_would_have_worked(bench):
    key = bench.filled_key(MATERIAL)
    sentence = "The request would have succeeded, but the DryRun option is set."

    with bench.refuses("DryRunOperationException", sentence):
        bench.kms.encrypt(KeyId=key, Plaintext=b"m", DryRun=True)


def test_a_dry_run_of_what_would_fail_fails(bench):
    key = bench.key()

    with bench.refuses("KMSInvalidStateException", f"{key} is pending import."):
        bench.kms.encrypt(KeyId=key, Plaintext=b"m", DryRun=True)


@pytest.mark.parametrize("parameter", [{"GrantTokens": ["t"]}])
def test_grants_are_not_modelled_and_refused(bench, parameter):
    with pytest.raises(ClientError, match=r"The strict KMS of these tests does not know GrantTokens\."):
        bench.kms.encrypt(KeyId=bench.filled_key(MATERIAL), Plaintext=b"m", **parameter)
