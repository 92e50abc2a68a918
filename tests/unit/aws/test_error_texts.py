"""AWS's errors in words: the code kept, each told apart from the others, and no error of botocore's own model left out."""

import botocore.session
import pytest
from botocore.exceptions import ClientError

from imported_key_material.aws.error_texts import code_of, translate
from imported_key_material.aws.meanings import Meaning
from imported_key_material.aws.secret_errors import of_refused_decrypt
from imported_key_material.errors import Fault
from lab.clock import VirtualClock
from lab.cloudformation.stack_reads import CloudFormation
from lab.kms.service import StrictKms
from lab.kms.wire import KmsWire
from lab.wire.in_process import InProcessAws
from lab.wire.transport import Refusal
from tests.support.traces import assert_untraceable

OPERATIONS = {
    "kms": [
        "DescribeKey",
        "ListResourceTags",
        "GetParametersForImport",
        "ImportKeyMaterial",
        "DeleteImportedKeyMaterial",
        "ListKeyRotations",
        "GetPublicKey",
        "VerifyMac",
        "Decrypt",
        "RotateKeyOnDemand",
        "GetKeyRotationStatus",
    ],
    "secretsmanager": ["DescribeSecret", "GetSecretValue"],
    "cloudformation": ["DescribeStacks", "DescribeStackResource", "ListStackResources"],
}
# Errors of options that the function never sends.
NOT_ASKED_FOR = {"DryRunOperationException", "InvalidGrantTokenException"}

AGAIN = "This passes by itself. Run the deployment again."
MEANINGS = {
    "DependencyTimeoutException": f"KMS did not get an answer from a service that it depends on. {AGAIN}",
    "InvalidArnException": (
        "KMS can't read the key's ARN, or it is of another Region. Use the id or the ARN of a key in the stack's Region; "
        "!GetAtt Key.Arn gives it."
    ),
    "KMSInternalException": f"KMS had an internal error. {AGAIN}",
    "KMSInvalidStateException": (
        "The key's state does not allow it: it is being created, updated or deleted, or it lacks its material. Look at "
        "KeyState with aws kms describe-key; aws kms cancel-key-deletion takes a deletion back."
    ),
    "NotFoundException": (
        "There is no such key in this account and Region, or it was made a moment ago and KMS does not show it yet. Check the "
        "id; !GetAtt Key.Arn also makes CloudFormation wait for the key."
    ),
    "UnsupportedOperationException": (
        "The key does not take imported material: its Origin is not EXTERNAL, or it lives in a custom key store. Make a key "
        "with Origin EXTERNAL; the origin of a key can't be changed."
    ),
    "IncorrectKeyMaterialException": (
        "The key once held other material, and the first import into a key is permanent. Import the material that the key "
        "held, or make a new key for the new material."
    ),
    "InvalidCiphertextException": (
        "KMS could not use what it unwrapped, though it passed every check made here. Check that the material fits the key "
        "spec."
    ),
    "InvalidImportTokenException": (
        "KMS refused the import token for this key. Run the deployment again: it fetches a new one."
    ),
    "ExpiredImportTokenException": "The import token is older than 24 hours. Run the deployment again.",
    "IncorrectKeyException": "The secret was encrypted under another key. Name that key in SecretWrapping.KeyId.",
    "InvalidKeyUsageException": (
        "The key's usage or spec does not fit the operation. Unwrap with a key whose KeyUsage is ENCRYPT_DECRYPT."
    ),
    "DisabledException": "The key is disabled. Enable it, if it was not disabled for a reason.",
    "KeyUnavailableException": f"KMS can't reach the key at the moment. {AGAIN}",
    "LimitExceededException": "A quota of KMS is used up. See Service Quotas for KMS in this Region.",
    "KMSInvalidMacException": (
        "The key makes another MAC than the material in the secret. Name the secret that holds the key's material."
    ),
    "InvalidMarkerException": f"KMS refused its own marker for the next page of a list. {AGAIN}",
    "ConflictException": f"A rotation of the key is under way, or about to begin. {AGAIN}",
    "ResourceNotFoundException": (
        "There is no such secret, or it has no such version or stage. Check SecretId, SecretVersionId and "
        "SecretVersionStage. A secret of another account needs its full ARN."
    ),
    "InvalidRequestException": (
        "The secret can't be read in its present state; often it is marked for deletion. aws secretsmanager restore-secret "
        "takes that back."
    ),
    "InvalidParameterException": (
        "Secrets Manager does not take the parameters together. Check SecretId, SecretVersionId and SecretVersionStage."
    ),
    "DecryptionFailure": (
        "Secrets Manager can't decrypt the secret with its KMS key. Look at the state and the policy of the secret's own KMS "
        "key. It must not be the key that takes the material."
    ),
    "InternalServiceError": f"Secrets Manager had an internal error. {AGAIN}",
}
OF_DECRYPT = (
    "The transport key does not open what the secret holds. It was encrypted under another key or with another algorithm, or "
    "was changed. OAEP and MGF1 must both use SHA-1; if both use SHA-256, declare RSAES_OAEP_SHA_256."
)
TO_DECRYPT = of_refused_decrypt("RSAES_OAEP_SHA_1", context="")  # as the reader of secrets passes it


def modeled():
    """Every error that botocore's models list for an operation that the function calls."""
    session = botocore.session.Session()
    for service, operations in OPERATIONS.items():
        model = session.get_service_model(service)
        for operation in operations:
            for shape in model.operation_model(operation).error_shapes:
                code = shape.metadata.get("error", {}).get("code", shape.name)
                if code not in NOT_ASKED_FOR:
                    yield service, operation, code


MODELED = list(modeled())


def refused(code, message="", status=400):
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")


def said(operation, error, where="KeyId", **meanings):
    return str(translate(operation, error, where=where, meanings=meanings))


# ------------------------------------------------------------------------------------------------- every code there is


@pytest.mark.parametrize(("service", "operation", "code"), MODELED)
def test_every_error_that_an_operation_may_answer_with_has_its_cause_and_remedy(service, operation, code):
    of_decrypt = (operation, code) == ("Decrypt", "InvalidCiphertextException")
    meaning, known = (OF_DECRYPT, TO_DECRYPT) if of_decrypt else (MEANINGS[code], {})

    assert said(f"{service}:{operation}", refused(code), **known) == (
        f"KeyId: {service}:{operation} was refused with {code}. {meaning}"
    )


def test_the_models_list_the_six_errors_of_get_parameters_for_import():
    assert {code for _, operation, code in MODELED if operation == "GetParametersForImport"} == {
        "DependencyTimeoutException",
        "InvalidArnException",
        "KMSInternalException",
        "KMSInvalidStateException",
        "NotFoundException",
        "UnsupportedOperationException",
    }


def test_no_two_errors_read_alike():
    assert len({*MEANINGS.values(), OF_DECRYPT}) == len(MEANINGS) + 1


def test_nothing_is_said_about_errors_that_no_operation_has():
    assert set(MEANINGS) == {code for _, _, code in MODELED}


def test_a_ciphertext_means_another_thing_to_decrypt_than_to_an_import():
    assert said("kms:Decrypt", refused("InvalidCiphertextException"), "SecretWrapping", **TO_DECRYPT) == (
        f"SecretWrapping: kms:Decrypt was refused with InvalidCiphertextException. {OF_DECRYPT}"
    )
    assert said("kms:ImportKeyMaterial", refused("InvalidCiphertextException")) == (
        "KeyId: kms:ImportKeyMaterial was refused with InvalidCiphertextException. "
        f"{MEANINGS['InvalidCiphertextException']}"
    )


@pytest.mark.parametrize(
    ("operation", "code", "meaning"),
    [
        (
            "kms:ImportKeyMaterial",
            "AccessDeniedException",
            (
                "The function's role, the key's policy or the secret's policy does not allow it. The key and the secret "
                "must have the tag imported-key-material (it may count up to five minutes late); the key's policy must let the "
                "account's IAM policies count, or name the role."
            ),
        ),
        (
            "cloudformation:DescribeStacks",
            "AccessDenied",
            "The function's role does not allow it. Deploy the application again; its role is part of it.",
        ),
        (
            "cloudformation:DescribeStacks",
            "ValidationError",
            "CloudFormation does not know the stack or the resource. Run the deployment again.",
        ),
        (
            "kms:ImportKeyMaterial",
            "ValidationException",
            "AWS does not take these values together. If the properties are right, please report this as a defect.",
        ),
        ("kms:DescribeKey", "ExpiredTokenException", f"The function's credentials ran out. {AGAIN}"),
    ],
)
def test_the_errors_that_any_operation_may_have_are_in_no_model_and_have_their_words(operation, code, meaning):
    assert said(operation, refused(code)) == f"KeyId: {operation} was refused with {code}. {meaning}"


# ----------------------------------------------------------------------------------------- what the caller knows better


def test_a_caller_s_own_meaning_of_a_code_goes_first_and_may_name_another_property():
    of_version = Meaning("The secret has no such version.", "Name another.", "SecretVersionId")

    assert said("secretsmanager:GetSecretValue", refused("ResourceNotFoundException"), "SecretId") == (
        "SecretId: secretsmanager:GetSecretValue was refused with ResourceNotFoundException. "
        f"{MEANINGS['ResourceNotFoundException']}"
    )
    assert said(
        "secretsmanager:GetSecretValue",
        refused("ResourceNotFoundException"),
        "SecretId",
        ResourceNotFoundException=of_version,
    ) == (
        "SecretVersionId: secretsmanager:GetSecretValue was refused with ResourceNotFoundException. The secret has no such "
        "version. Name another."
    )


def test_a_caller_s_meaning_of_another_code_is_left_aside():
    other = Meaning("The secret has no such version.", "Name another.")

    assert said("kms:DescribeKey", refused("DisabledException"), ResourceNotFoundException=other) == (
        f"KeyId: kms:DescribeKey was refused with DisabledException. {MEANINGS['DisabledException']}"
    )


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("User: R is not authorized to perform: kms:Decrypt on resource: K with an explicit deny", "A policy"),
        ("not authorized with an explicit deny in a service control policy", "A service control policy"),
        ("not authorized with an explicit deny in a resource control policy", "A resource control policy"),
        ("not authorized with an explicit deny in a permissions boundary", "A permissions boundary"),
        ("not authorized with an explicit deny in an identity-based policy", "An identity-based policy"),
        ("not authorized with an explicit deny in a resource-based policy", "A resource-based policy"),
        ("not authorized with an explicit deny in a session policy", "A session policy"),
        ("not authorized with an explicit deny in a VPC endpoint policy", "A VPC endpoint policy"),
        ("not authorized with an explicit deny in a policy of tomorrow", "A policy"),
    ],
)
@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied"])
def test_an_explicit_deny_is_told_as_that_and_outweighs_what_the_caller_knows(code, text, policy):
    own = Meaning("There is no such secret.", "Check the name.")

    assert said("kms:Decrypt", refused(code, text), **{code: own}) == (
        f"KeyId: kms:Decrypt was refused with {code}: {text}. {policy} denies it explicitly, and no tag and no permission "
        "outweighs that. Take the Deny out of that policy, or except the function's role from it."
    )


def test_an_explicit_deny_is_seen_in_a_text_that_is_cut_before_it():
    text = f"User: {'x' * 300} is not authorized with an explicit deny in a permissions boundary"

    assert "A permissions boundary denies it explicitly," in said("kms:Decrypt", refused("AccessDeniedException", text))


def test_another_error_than_a_denial_is_not_told_as_one_for_its_words():
    text = "The key has an explicit deny in its name"

    assert said("kms:DescribeKey", refused("DisabledException", text)) == (
        f"KeyId: kms:DescribeKey was refused with DisabledException: {text}. {MEANINGS['DisabledException']}"
    )


def test_a_code_that_nobody_knows_is_kept():
    assert said("kms:DescribeKey", refused("BrandNewException", "Something is new.")) == (
        "KeyId: kms:DescribeKey was refused with BrandNewException: Something is new. Look the code up in the API reference "
        "of that operation."
    )


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_fault_that_nobody_knows_passes_by_itself(status):
    assert said("kms:DescribeKey", refused("ServiceUnavailable", "Busy", status)) == (
        f"KeyId: kms:DescribeKey was refused with ServiceUnavailable: Busy. The service had an internal error. {AGAIN}"
    )


# -------------------------------------------------------------------------------------------------- AWS's own text


@pytest.mark.parametrize("text", ["K is pending import", "K is pending import.", " K is pending import. "])
def test_aws_s_text_stands_behind_the_code_as_a_sentence(text):
    assert said("kms:GetPublicKey", refused("KMSInvalidStateException", text)) == (
        "KeyId: kms:GetPublicKey was refused with KMSInvalidStateException: K is pending import. "
        f"{MEANINGS['KMSInvalidStateException']}"
    )


def test_a_long_text_is_cut():
    assert said("kms:DescribeKey", refused("DisabledException", "x" * 300)).startswith(
        f"KeyId: kms:DescribeKey was refused with DisabledException: {'x' * 300}. The key is disabled. "
    )
    assert said("kms:DescribeKey", refused("DisabledException", "x" * 299 + " yz" * 10_000)).startswith(
        f"KeyId: kms:DescribeKey was refused with DisabledException: {'x' * 299}... The key is disabled. "
    )


NAMES = {"orders/master-key": "<SecretId>", "orders/master": "<SecretVersionStage>", "5" * 32: "<SecretVersionId>"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no access on resource: orders/master-key because", "no access on resource: <SecretId> because"),
        (
            "arn:aws:secretsmanager:r:a:secret:orders/master-key-AbCdEf",
            "arn:aws:secretsmanager:r:a:secret:<SecretId>-AbCdEf",
        ),
        ("orders/master orders/master-key", "<SecretVersionStage> <SecretId>"),
        (f"VersionId: {'5' * 32}", "VersionId: <SecretVersionId>"),
        (f"{'5' * 64}", "<SecretVersionId><SecretVersionId>"),
        ("Orders/Master-Key", "Orders/Master-Key"),
    ],
)
def test_a_declared_value_is_shown_by_its_property_s_name(text, told):
    error = translate(
        "secretsmanager:GetSecretValue", refused("DisabledException", text), where="SecretId", masks=NAMES
    )

    assert f"was refused with DisabledException: {told}. The key" in str(error)


def test_no_part_of_a_value_is_left_where_a_long_text_is_cut():
    text = "x" * 290 + "orders/master-key" + "y" * 100
    error = translate(
        "secretsmanager:GetSecretValue", refused("DisabledException", text), where="SecretId", masks=NAMES
    )

    assert f"{'x' * 290}<SecretId>..." in str(error)


def test_an_answer_without_a_code_is_told_as_such():
    assert said("kms:DescribeKey", ClientError({}, "DescribeKey")) == (
        "KeyId: kms:DescribeKey was refused with Unknown. Look the code up in the API reference of that operation."
    )


def test_the_error_has_aws_s_code_the_operation_and_one_fault():
    error = translate("kms:DescribeKey", refused("DisabledException"), where="SecretWrapping.KeyId")

    assert (error.code, error.operation) == ("DisabledException", "kms:DescribeKey")
    assert error.faults == (
        Fault(
            "SecretWrapping.KeyId",
            "kms:DescribeKey was refused with DisabledException. The key is disabled.",
            "Enable it, if it was not disabled for a reason.",
        ),
    )


def test_nothing_of_the_answer_comes_along_but_its_code_and_text():
    canary = "c2VjcmV0LW1hdGVyaWFs"
    error = refused("DisabledException", "disabled")
    error.response["ResponseMetadata"]["HTTPHeaders"] = {"x": canary}
    error.response["Error"]["Detail"] = canary  # what a service may add

    assert_untraceable(translate("kms:DescribeKey", error, where="KeyId"), canary)


# ----------------------------------------------------------------------------------- as botocore makes it of an answer


@pytest.fixture
def aws():
    clock = VirtualClock()
    with InProcessAws(clock, [KmsWire(StrictKms(clock)), CloudFormation(clock)]) as aws:
        yield aws


def error_of(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value


def test_an_answer_of_kms_without_a_message_is_told_without_one(aws):
    aws.faults.inject("DescribeKey", Refusal(400, "InvalidImportTokenException", None))
    error = error_of(aws.client("kms").describe_key, KeyId="x")

    assert code_of(error) == "InvalidImportTokenException"
    assert said("kms:ImportKeyMaterial", error) == (
        "KeyId: kms:ImportKeyMaterial was refused with InvalidImportTokenException. KMS refused the import token for this "
        "key. Run the deployment again: it fetches a new one."
    )


def test_an_unknown_stack_is_told_in_cloudformation_s_words(aws):
    error = error_of(aws.client("cloudformation").describe_stacks, StackName="orders")

    assert said("cloudformation:DescribeStacks", error, "StackId") == (
        "StackId: cloudformation:DescribeStacks was refused with ValidationError: Stack with id orders does not exist. "
        "CloudFormation does not know the stack or the resource. Run the deployment again."
    )
