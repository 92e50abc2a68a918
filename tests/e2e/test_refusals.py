"""A stack that declares what is impossible or forbidden gets a sentence and a rollback, and its key does not change."""

import json

from lab.keys.random_keys import random_key


def refused(scene, resources):
    """The stack fails, and its Delete touches nothing: the id says that nothing was imported."""
    stack = scene.create(resources)
    assert stack.status == "ROLLBACK_COMPLETE"
    [(_create, _name, _none), (delete, _same, physical_id)] = scene.requests()
    assert delete == "Delete"
    assert physical_id.startswith("not-imported:Material:")
    return scene.reason(stack)


def test_a_secret_that_holds_a_newline_too_many(scene):
    key, secret = scene.empty_key(), scene.secret(random_key(32) + b"\n")

    reason = refused(scene, {"Material": scene.material(key, secret)})

    assert reason == (
        f"SecretId (secret {secret}, version {scene.current_version(secret)}): The material is 33 bytes long, and a "
        "SYMMETRIC_DEFAULT key takes exactly 32. Often a newline was stored, too: write it with printf, not echo. Nothing was "
        "imported."
    )
    assert scene.state(key) == "PendingImport"


def test_several_things_are_wrong_at_once(scene):
    key = scene.empty_key(consent="somebody-else")
    secret = scene.secret(random_key(31), consent="somebody-else")

    reason = refused(scene, {"Material": scene.material(key, secret)})

    assert reason.startswith("2 things are wrong. (1) KeyId: ")
    assert f"it does not name the stack {scene.name}" in reason
    assert f" (2) SecretId (secret {secret}): The secret has the tag imported-key-material" in reason
    assert scene.state(key) == "PendingImport"


def test_another_teams_secret_without_its_consent(scene):
    key, secret = scene.empty_key(), scene.secret(random_key(32), consent="another-team")

    reason = refused(scene, {"Material": scene.material(key, secret)})

    assert reason == (
        f"SecretId (secret {secret}): The secret has the tag imported-key-material, but it does not name the stack "
        f"{scene.name}, so this stack may not use it. If its owner agrees, set the tag imported-key-material to 'another-team "
        f"{scene.name}'. Nothing was imported."
    )
    assert scene.state(key) == "PendingImport"


def test_a_ciphertext_that_was_copied_into_another_secret_does_not_open(scene):
    transport = scene.key()
    stolen = scene.encrypted(random_key(32), transport, name="somebody-elses")
    key = scene.empty_key()
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": transport}

    secret = scene.secret(stolen)

    reason = refused(scene, {"Material": scene.material(key, secret, SecretWrapping=wrapping)})

    assert reason.startswith(f"SecretWrapping (secret {secret}, version {scene.current_version(secret)}): ")
    assert "InvalidCiphertextException" in reason
    assert f"the encryption context imported-key-material={scene.aws.settings.account}/{secret}: " in reason
    assert scene.state(key) == "PendingImport"


def test_a_key_of_kms_itself(scene):
    key = scene.key()

    reason = refused(scene, {"Material": scene.material(key, scene.secret(random_key(32)))})

    assert reason.startswith("KeyId: ")
    assert "AWS_KMS" in reason


def test_a_misspelt_property_is_named(scene):
    key = scene.empty_key()

    reason = refused(scene, {"Material": scene.material(key, scene.secret(random_key(32)), ValidForDay=3)})

    assert "ValidForDay" in reason
    assert scene.state(key) == "PendingImport"


def test_rights_that_come_late_are_waited_for(scene):
    """KMS may see a new tag minutes later: while the tag exists, the function tries again after AccessDenied."""
    role = scene.aws.role_arn()
    account = scene.aws.settings.account
    everybody = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    not_yet = {"Effect": "Deny", "Principal": {"AWS": role}, "Action": "kms:ImportKeyMaterial", "Resource": "*"}
    key = scene.empty_key(Policy=policy(everybody, not_yet))
    secret = scene.secret(random_key(32))

    with scene.being_created({"Material": scene.material(key, secret)}) as ended:
        scene.wait_for_log("kms:ImportKeyMaterial.*AccessDeniedException")  # no other test is denied this
        scene.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(everybody))

    assert ended().status == "CREATE_COMPLETE"
    assert scene.state(key) == "Enabled"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_an_event_that_is_not_cloudformations_changes_nothing(scene):
    """The right lambda:InvokeFunction must not be enough to change a key."""
    key = scene.empty_key()
    event = {
        "RequestType": "Create",
        "RequestId": "made-up",
        "StackId": f"arn:aws:cloudformation:eu-central-1:{scene.aws.settings.account}:stack/{scene.name}/made-up",
        "ResponseURL": "https://cloudformation-custom-resource-response-eucentral1-mine.s3.amazonaws.com/made-up",
        "ResourceType": "Custom::ImportedKeyMaterial",
        "LogicalResourceId": "Material",
        "ResourceProperties": {
            "ServiceToken": scene.token,
            "KeyId": key,
            "SecretId": scene.secret(random_key(32)),
        },
    }

    answer = scene.aws.client("lambda").invoke(FunctionName="imported-key-material", Payload=json.dumps(event).encode())

    assert answer["Payload"].read() == b"null"
    assert "FunctionError" not in answer
    assert scene.state(key) == "PendingImport"
