"""The strict KMS and its keys: who finds a key, how, and how it is made (docs/internals/kms-contract.md, C-84, C-87, C-120)."""

import pytest
from botocore.exceptions import ClientError

from tests.support.kms_bench import ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION

MATERIAL = bytes(range(32))
MISSING = "11111111-2222-3333-4444-555555555555"
MISSING_MULTI_REGION = "mrk-" + "1" * 32


MORE = {
    "get_parameters_for_import": {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
    "encrypt": {"Plaintext": b"message"},
    "generate_data_key": {"KeySpec": "AES_256"},
    "tag_resource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
}


# --------------------------------------------------------------------------------------------- how a key is found: C-84


@pytest.mark.parametrize("missing", [MISSING, MISSING_MULTI_REGION])
@pytest.mark.parametrize("form", ["{id}", "arn:aws:kms:{region}:{account}:key/{id}"])
def test_a_key_that_is_not_there_is_named_by_its_arn(bench, missing, form):
    reference = form.format(id=missing, region=REGION, account=ACCOUNT)

    with bench.refuses("NotFoundException", f"Key 'arn:aws:kms:{REGION}:{ACCOUNT}:key/{missing}' does not exist"):
        bench.kms.describe_key(KeyId=reference)


@pytest.mark.parametrize("malformed", ["x", "mrk-1", MISSING.upper().replace("1", "A"), MISSING.replace("-", "")])
def test_a_malformed_key_id_is_quoted(bench, malformed):
    with bench.refuses("NotFoundException", f"Invalid keyId '{malformed}'"):
        bench.kms.describe_key(KeyId=malformed)


@pytest.mark.parametrize(
    "arn", ["arn:", "arn:aws:kms", f"arn:aws:s3:{REGION}:{ACCOUNT}:key/x", f"arn:aws-cn:kms:{REGION}:{ACCOUNT}:key/x"]
)
def test_a_malformed_arn_is_quoted(bench, arn):
    with bench.refuses("InvalidArnException", f"Invalid arn {arn}"):
        bench.kms.describe_key(KeyId=arn)


NO_ALIAS = {
    "get_parameters_for_import": MORE["get_parameters_for_import"],
    "import_key_material": {"ImportToken": b"t", "EncryptedKeyMaterial": b"m"},
    "delete_imported_key_material": {},
    "list_key_rotations": {},
    "rotate_key_on_demand": {},
    "list_resource_tags": {},
    "schedule_key_deletion": {},
}


@pytest.mark.parametrize("operation", NO_ALIAS)
@pytest.mark.parametrize("form", ["alias/orders", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders"])
def test_an_alias_does_not_do_where_a_key_is_changed(bench, operation, form):
    bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=bench.key())

    with bench.refuses("NotFoundException", f"Invalid keyId '{form}'"):
        getattr(bench.kms, operation)(KeyId=form, **NO_ALIAS[operation])


@pytest.mark.parametrize("form", ["alias/orders", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders"])
def test_an_alias_does_where_a_key_is_used_or_described(bench, form):
    key = bench.filled_key(MATERIAL)
    bench.kms.create_alias(AliasName="alias/orders", TargetKeyId=key)

    assert bench.metadata(form)["Arn"] == key
    assert bench.kms.encrypt(KeyId=form, Plaintext=b"message")["KeyId"] == key


# ------------------------------------------------------------------------------------------------ other accounts: C-120


def denied(operation):
    return (
        f"User: arn:aws:iam::{OTHER_ACCOUNT}:root is not authorized to perform: kms:{operation} on this resource because "
        "the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
        "explicitly denies access"
    )


def test_another_account_s_key_is_denied_whether_it_exists_or_not(bench):
    key, kms = bench.key(), bench.client(account=OTHER_ACCOUNT)

    for arn in (key, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{MISSING}"):
        with bench.refuses("AccessDeniedException", denied("DescribeKey")):
            kms.describe_key(KeyId=arn)


def test_a_key_policy_lets_another_account_use_a_key_and_never_import_into_it(bench):
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}, "Action": "kms:*"}
    policy = str({"Statement": [statement | {"Resource": "*"}]}).replace("'", '"')
    key, kms = bench.filled_key(MATERIAL, Policy=policy), bench.client(account=OTHER_ACCOUNT)

    assert kms.describe_key(KeyId=key)["KeyMetadata"]["AWSAccountId"] == ACCOUNT
    sealed = kms.encrypt(KeyId=key, Plaintext=b"message")["CiphertextBlob"]
    assert bench.kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"message"
    for operation, name in (
        ("get_parameters_for_import", "GetParametersForImport"),
        ("import_key_material", "ImportKeyMaterial"),
        ("delete_imported_key_material", "DeleteImportedKeyMaterial"),
        ("rotate_key_on_demand", "RotateKeyOnDemand"),
        ("list_key_rotations", "ListKeyRotations"),
    ):
        with bench.refuses("AccessDeniedException", denied(name)):
            getattr(kms, operation)(KeyId=key, **NO_ALIAS[operation])


def test_a_bare_key_id_is_looked_for_in_the_caller_s_account(bench):
    key_id = bench.key().rpartition("/")[2]
    kms = bench.client(account=OTHER_ACCOUNT)

    with bench.refuses("NotFoundException", f"Key 'arn:aws:kms:{REGION}:{OTHER_ACCOUNT}:key/{key_id}' does not exist"):
        kms.describe_key(KeyId=key_id)


# ---------------------------------------------------------------------------------------------- how a key is made: C-87


@pytest.mark.parametrize("spec", ["HMAC_256", "RSA_2048", "ECC_NIST_P256"])
def test_all_but_symmetric_keys_need_a_key_usage(bench, spec):
    sentence = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."

    with bench.refuses("ValidationException", sentence):
        bench.kms.create_key(KeySpec=spec)


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("SYMMETRIC_DEFAULT", "SIGN_VERIFY"),
        ("HMAC_256", "ENCRYPT_DECRYPT"),
        ("RSA_2048", "KEY_AGREEMENT"),
        ("ECC_SECG_P256K1", "KEY_AGREEMENT"),
        ("ECC_NIST_EDWARDS25519", "KEY_AGREEMENT"),
        ("ECC_NIST_P256", "ENCRYPT_DECRYPT"),
    ],
)
def test_a_key_usage_must_be_one_of_the_spec_s_own(bench, spec, usage):
    with bench.refuses("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}"):
        bench.kms.create_key(KeySpec=spec, KeyUsage=usage)


ALGORITHMS = {
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): ("EncryptionAlgorithms", ["SYMMETRIC_DEFAULT"]),
    ("HMAC_384", "GENERATE_VERIFY_MAC"): ("MacAlgorithms", ["HMAC_SHA_384"]),
    ("RSA_2048", "ENCRYPT_DECRYPT"): ("EncryptionAlgorithms", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]),
    ("ECC_NIST_P521", "SIGN_VERIFY"): ("SigningAlgorithms", ["ECDSA_SHA_512"]),
    ("ECC_NIST_P521", "KEY_AGREEMENT"): ("KeyAgreementAlgorithms", ["ECDH"]),
}


@pytest.mark.parametrize(("spec", "usage"), ALGORITHMS)
def test_a_key_s_description_lists_only_the_algorithms_of_its_usage(bench, spec, usage):
    shown = bench.metadata(bench.key(spec, usage))

    name, algorithms = ALGORITHMS[spec, usage]
    assert shown[name] == algorithms
    assert [one for one in shown if one.endswith("Algorithms")] == [name]
    assert shown["CustomerMasterKeySpec"] == shown["KeySpec"] == spec
    assert shown["KeyManager"] == "CUSTOMER"


def test_a_key_of_kms_s_own_is_enabled_from_the_start(bench):
    shown = bench.metadata(bench.key(Origin="AWS_KMS", Description="transport"))

    assert (shown["KeyState"], shown["Enabled"], shown["Description"]) == ("Enabled", True, "transport")
    assert "ExpirationModel" not in shown
    assert len(shown["CurrentKeyMaterialId"]) == 64


def test_keys_are_listed_page_by_page_in_their_own_account_and_region(bench):
    keys = [bench.key() for _ in range(5)]
    bench.client(OTHER_REGION).create_key()
    bench.client(account=OTHER_ACCOUNT).create_key()

    pages = list(bench.kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))

    assert [len(page["Keys"]) for page in pages] == [2, 2, 1]
    assert [one["KeyArn"] for page in pages for one in page["Keys"]] == keys


def test_a_description_can_be_changed(bench):
    key = bench.key()

    bench.kms.update_key_description(KeyId=key, Description="orders")

    assert bench.metadata(key)["Description"] == "orders"


@pytest.mark.parametrize(
    "parameters",
    [
        {"CustomKeyStoreId": "cks-1", "Origin": "AWS_CLOUDHSM"},
        {"Origin": "EXTERNAL_KEY_STORE"},
        {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY"},
    ],
)
def test_what_is_not_modelled_is_refused_and_not_guessed(bench, parameters):
    with pytest.raises(ClientError, match="The strict KMS of these tests does not know "):
        bench.kms.create_key(**parameters)
    assert bench.kms.list_keys()["Keys"] == []
