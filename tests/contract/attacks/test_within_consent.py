"""Attacks by those to whom the tags give something: how far each gets, and where it ends. What remains, shown.

Other attack files hold that nobody gets past the tags. Here the attacker is somebody whom they let in: who writes the secret,
who has the public key that wraps, who deploys a stack that is named, or who invokes the function while one is worked on.
docs/threat-model.md cites each of these tests.
"""

import base64
import json

import pytest

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from lab.keys.at_rest import encrypted, public_key_of, transport_key, wrapped
from lab.keys.by_hand import import_material, oaep
from lab.keys.private_keys import pkcs8_der, rsa_key
from lab.keys.random_keys import random_keys
from lab.world import ACCOUNT, REGION, TAG

OURS, THEIRS, PLANTED = random_keys(32, 3)
ALGORITHMS = [
    "SYMMETRIC_DEFAULT",
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
]
RSA = ALGORITHMS[1:]
VERSION = "version-that-the-template-pins-01"
DOES_NOT_OPEN = "kms:Decrypt was refused with InvalidCiphertextException. The transport key does not open"


def opened_by(key, algorithm):
    return {"SecretWrapping": {"Algorithm": algorithm, "KeyId": key}}


def check_value_of(material):
    return check_value.compute(key_spec("SYMMETRIC_DEFAULT", partition="aws"), material)


def holds(world, key, material):
    """A key that was filled takes its own material again, and no other: a client of the owner's tries it."""
    kms = world.session().client("kms")
    assert world.state(key) == "Enabled"
    try:
        import_material(kms, key, material)
    except kms.exceptions.IncorrectKeyMaterialException:
        return False
    return True


def other_stack(world, name):
    """From now on the requests are those of another stack of the account and Region."""
    world.stack = world.cloudformation.stack(name, region=REGION, account=ACCOUNT)
    world.before = {}


# ------------------------------------------------------------------------------------------------ who writes the secret


@pytest.mark.parametrize("algorithm", RSA)
def test_whoever_has_the_public_key_chooses_the_bytes_where_nothing_else_is_declared(world, algorithm):
    """RSA hides, and does not tell who wrote. So the first import is that of whoever wrote the secret."""
    unwrap = transport_key(world, algorithm)
    planted = world.secret(wrapped(world, unwrap, algorithm, PLANTED))
    key = world.external_key()

    assert world.create(key, SecretId=planted.name, **opened_by(unwrap, algorithm))["Status"] == "SUCCESS"
    assert holds(world, key, PLANTED)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_declared_check_value_refuses_planted_bytes_before_they_are_imported(world, refused, algorithm):
    unwrap = transport_key(world, algorithm)
    planted = world.secret(wrapped(world, unwrap, algorithm, PLANTED))

    reason = refused(
        world.external_key(),
        SecretId=planted.name,
        ExpectedCheckValue=check_value_of(OURS),
        **opened_by(unwrap, algorithm),
    )

    assert "The material has another check value than the one declared." in reason


def test_a_pinned_version_is_not_moved_by_whoever_writes_another_one(world):
    secret = world.secret(OURS, version_id=VERSION)
    world.secret(PLANTED)  # AWSCURRENT is the attacker's now
    key = world.external_key()

    world.create(key, SecretId=secret.arn, SecretVersionId=VERSION)

    assert holds(world, key, OURS)


def test_without_a_pinned_version_the_first_import_takes_what_is_current(world):
    secret = world.secret(OURS, version_id=VERSION)
    world.secret(PLANTED)
    key = world.external_key()

    world.create(key, SecretId=secret.arn)

    assert holds(world, key, PLANTED)


def test_a_version_s_id_is_pinned_by_the_secret_s_arn_alone(world, refused):
    """Whoever may delete a secret and make one of its name may choose the version's id, too. The ARN ends in six letters."""
    before = world.secret(OURS, version_id=VERSION)
    world.secrets.remove(before)
    world.secret(PLANTED, before.name, version_id=VERSION)
    key = world.external_key()

    reason = refused(key, SecretId=before.arn, SecretVersionId=VERSION)
    assert reason.startswith("SecretId: secretsmanager:DescribeSecret was refused with AccessDeniedException")

    world.create(key, SecretId=before.name, SecretVersionId=VERSION)
    assert holds(world, key, PLANTED)


# --------------------------------------------------------------------------------- copies, where one key unwraps for many


@pytest.mark.parametrize("algorithm", RSA)
def test_an_rsa_blob_opens_in_any_secret_where_the_tags_name_the_stack(world, algorithm):
    """Nothing in it says for which secret it was made: teams that share the key can use each other's copies."""
    shared = transport_key(world, algorithm, tag="payments orders")
    theirs = world.secret(wrapped(world, shared, algorithm, THEIRS), "payments/master-key", tag="payments")
    copy = world.secret(next(iter(theirs.versions.values())).value, "orders/copy")
    key = world.external_key()

    assert world.create(key, SecretId=copy.name, **opened_by(shared, algorithm))["Status"] == "SUCCESS"
    assert holds(world, key, THEIRS)


def test_a_kms_ciphertext_opens_in_the_secret_of_its_name_and_in_no_copy(world, refused):
    shared = transport_key(world, "SYMMETRIC_DEFAULT", tag="payments orders")
    theirs = encrypted(world, shared, THEIRS, name="payments/master-key")
    copy = world.secret(theirs, "orders/copy")

    reason = refused(world.external_key(), SecretId=copy.name, **opened_by(shared, "SYMMETRIC_DEFAULT"))

    assert DOES_NOT_OPEN in reason


def test_a_kms_ciphertext_is_bound_to_a_name_and_a_name_is_free_once_its_secret_is_deleted(world):
    shared = transport_key(world, "SYMMETRIC_DEFAULT", tag="payments orders")
    kept = encrypted(world, shared, THEIRS, name="payments/master-key")
    world.secrets.remove(world.secret(kept, "payments/master-key", tag="payments"))
    again = world.secret(kept, "payments/master-key", tag="orders")
    key = world.external_key()

    world.create(key, SecretId=again.name, **opened_by(shared, "SYMMETRIC_DEFAULT"))

    assert holds(world, key, THEIRS)


def test_a_key_that_takes_material_opens_rsa_ciphertexts_for_the_stacks_that_its_tag_names(world):
    """One tag for both: who may bring material into a key may also have it decrypt what makes a key of one's own."""
    target = world.external_key("RSA_2048", "ENCRYPT_DECRYPT")
    import_material(world.session().client("kms"), target, pkcs8_der(rsa_key()), algorithm="RSA_AES_KEY_WRAP_SHA_256")
    sent_to_the_application = public_key_of(world, target).encrypt(THEIRS, oaep("RSAES_OAEP_SHA_256"))
    secret = world.secret(sent_to_the_application)
    own = world.external_key("HMAC_256")

    answer = world.create(own, SecretId=secret.name, **opened_by(target, "RSAES_OAEP_SHA_256"))

    assert answer["Status"] == "SUCCESS"
    assert holds(world, own, THEIRS)


# ------------------------------------------------------------------------------------------- who deploys a stack of the name


def test_a_stack_that_is_made_anew_under_a_name_has_the_consent_of_the_one_before(world):
    """A tag names a name. It is free once the stack is deleted, to whoever may create stacks."""
    key, secret = world.external_key(tag="orders"), world.secret(OURS, tag="orders")
    first = world.stack
    first.status = "DELETE_COMPLETE"

    other_stack(world, "orders")

    assert world.stack.id != first.id
    assert world.create(key, SecretId=secret.name)["Status"] == "SUCCESS"


def test_whoever_may_make_a_stack_that_begins_alike_is_meant_by_a_name_with_a_slash(world):
    key, secret = world.external_key(tag="orders-/"), world.secret(OURS, tag="orders-/")

    other_stack(world, "orders-that-nobody-knows")

    assert world.create(key, SecretId=secret.name)["Status"] == "SUCCESS"


def test_consent_is_for_every_field_of_the_secret(world):
    """Whoever deploys names the field. What else stands in the secret goes into a key with a policy of his own."""
    fields = {"orders": base64.b64encode(OURS).decode(), "payments": base64.b64encode(THEIRS).decode()}
    secret = world.secret(json.dumps(fields), tag="orders")
    key = world.external_key("HMAC_256", tag="orders")

    assert world.create(key, SecretId=secret.name, SecretJsonKey="payments")["Status"] == "SUCCESS"

    assert holds(world, key, THEIRS)


def test_an_error_tells_which_other_fields_the_secret_has_and_not_what_stands_in_them(world, refused):
    """By their names, which have to be guessed."""
    password = "7=+/& krokodil quer zitrone"
    secret = world.secret(json.dumps({"password": password}), tag="orders")

    there, missing = (
        refused(world.external_key(), SecretId=secret.name, SecretJsonKey=name) for name in ("password", "pin")
    )

    assert missing.startswith("SecretJsonKey: The secret's JSON object has no field of this name.")
    assert there.startswith("SecretId: The text is not base64")
    assert not any(part in there for part in password.split())


def test_a_stack_may_put_its_secret_into_every_key_that_names_it(world):
    """Consent of the secret is not for one key: whoever deploys can use the material in a key with a policy of his own."""
    secret = world.secret(OURS)
    meant, own = world.external_key(), world.external_key("HMAC_256")

    world.create(meant, SecretId=secret.name)
    world.create(own, "Another", SecretId=secret.name)

    assert holds(world, meant, OURS)
    assert holds(world, own, OURS)


def test_the_stack_that_brought_material_in_empties_the_key_for_the_one_that_adopted_it(world):
    key, secret = world.external_key(tag="orders billing"), world.secret(OURS, tag="orders billing")
    world.create(key, SecretId=secret.name)
    orders, before = world.stack, world.before
    other_stack(world, "billing")
    assert world.create(key, SecretId=secret.name)["PhysicalResourceId"] == key.rsplit("/", 1)[1]

    world.stack, world.before = orders, before
    assert world.delete()["Status"] == "SUCCESS"

    assert world.state(key) == "PendingImport"


def test_a_stack_that_only_adopts_a_key_lets_its_material_expire_and_rotates_it(world):
    key, secret = world.external_key(tag="orders billing"), world.secret(OURS, tag="orders billing", version_id=VERSION)
    world.create(key, SecretId=secret.name)
    first = world.describe(key)["CurrentKeyMaterialId"]
    other_stack(world, "billing")
    own = world.secret(PLANTED, "billing/key", tag="billing", version_id=VERSION)

    rotated = world.create(key, SecretId=own.name, SecretVersionId=VERSION, NewMaterial="ROTATE", ValidForDays="1")

    assert rotated["PhysicalResourceId"] == key.rsplit("/", 1)[1]
    assert world.describe(key)["CurrentKeyMaterialId"] != first
    world.clock.advance(86_400)
    assert world.state(key) == "PendingImport"


@pytest.mark.parametrize("claimed", [False, True])
def test_a_custom_resource_that_claims_the_key_s_arn_undoes_the_adoption(world, claimed):
    """By deployment only, without any right to invoke: CloudFormation lists no ServiceToken, so any custom resource counts."""
    key, secret = world.external_key(tag="payments orders"), world.secret(OURS, tag="payments orders")
    other_stack(world, "payments")
    world.create(key, SecretId=secret.name)
    other_stack(world, "orders")
    if claimed:  # a Lambda function of the deployer's answers for it with whatever id it likes
        world.stack.set("Claim", "CREATE_COMPLETE", world.clock.now(), type="Custom::Claim", physical_id=key)
    adopted = world.create(key, SecretId=secret.name)["PhysicalResourceId"] == key.rsplit("/", 1)[1]

    if claimed:  # the whole stack goes
        world.stack.set("Claim", "DELETE_IN_PROGRESS", world.clock.now())
    assert world.delete()["Status"] == "SUCCESS"

    assert adopted == (not claimed)
    assert world.state(key) == ("PendingImport" if claimed else "Enabled")


# ------------------------------------------------------------------------------- who invokes the function within the minutes


def test_a_request_forged_within_its_minutes_gets_what_the_tags_give_to_that_stack(world):
    """The declared secret is another one. CloudFormation's own request comes too late, and finds other bytes."""
    key = world.external_key()
    declared, other = world.secret(OURS, "orders/master-key"), world.secret(PLANTED, "orders/another")
    event = world.create_request(key, SecretId=declared.name)
    forged = event | {"ResourceProperties": event["ResourceProperties"] | {"SecretId": other.name}}

    world.invoke(forged)

    assert holds(world, key, PLANTED)
    assert world.invoke(event)["Status"] == "FAILED"


def test_a_request_forged_within_its_minutes_gets_nothing_that_does_not_name_that_stack(world):
    key = world.external_key()
    event = world.create_request(key, SecretId=world.secret(OURS).name)
    theirs = world.secret(THEIRS, "payments/master-key", tag="payments")
    changes = world.changes()

    answer = world.invoke(event | {"ResourceProperties": event["ResourceProperties"] | {"SecretId": theirs.name}})

    other = "SecretId (secret payments/master-key): The secret has the tag imported-key-material, but it does not name"
    assert answer["Reason"].startswith(other)
    assert world.changes() == changes
    assert world.aws.count("GetSecretValue") == 0


def adopted_elsewhere(world, tag):
    """The ARN of a key that orders filled; and from now on the requests are those of billing, which cleans up."""
    key = world.external_key(tag=tag)
    world.create(key, SecretId=world.secret(OURS, tag="orders billing").name)
    other_stack(world, "billing")
    world.stack.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    return key


def test_a_delete_forged_in_a_clean_up_that_deletes_something_else_empties_nothing(world, unwanted):
    key = adopted_elsewhere(world, "orders billing")
    own = world.external_key(tag="billing")
    world.stack.set_old("Material", "DELETE_IN_PROGRESS", world.clock.now(), own)

    for logical_id in ("Material", "Nowhere"):
        reason = unwanted(world.event("Delete", logical_id, {}, physical_id=key))
        assert reason == (
            f"no event of the stack shows that {logical_id} is being deleted under this PhysicalResourceId."
        )


def test_a_delete_forged_while_a_resource_that_bears_the_key_s_arn_is_deleted_empties_it_for_another_stack(world):
    """A custom resource with a function of the deployers' own answers with any id. Who holds a key is asked of the request's
    own stack: adoption is for accidents, and the tag for attackers.
    """
    key = adopted_elsewhere(world, "orders billing")
    world.stack.set_old("TheirOwn", "DELETE_IN_PROGRESS", world.clock.now(), key)

    world.invoke(world.event("Delete", "TheirOwn", {}, physical_id=key))

    assert world.state(key) == "PendingImport"


def test_the_same_delete_empties_nothing_where_the_tag_names_one_stack(world):
    key = adopted_elsewhere(world, "orders")
    world.stack.set_old("TheirOwn", "DELETE_IN_PROGRESS", world.clock.now(), key)
    before = world.snapshot()

    answer = world.invoke(world.event("Delete", "TheirOwn", {}, physical_id=key))

    assert answer["Reason"].startswith("KeyId: The KMS key has the tag imported-key-material, but it does not name")
    assert world.snapshot() == before


# --------------------------------------------------------------------------------------------------------- who asks in vain


def test_a_refusal_tells_that_a_key_and_a_secret_are_there_and_whom_their_tags_name(world, refused):
    """What the error must show so that the owner can be asked; DescribeKey and DescribeSecret show the same."""
    key = world.external_key(tag="payments")
    secret = world.secret(THEIRS, "payments/master-key", tag="payments shop")

    reason = refused(key, SecretId=secret.name)

    assert "set the tag imported-key-material to 'payments orders'" in reason
    assert "set the tag imported-key-material to 'payments shop orders'" in reason
    assert refused(key, SecretId="payments/nothing").count("AccessDeniedException") == 1


def test_whom_a_disabled_key_s_tag_does_not_name_learns_that_it_is_disabled(world, refused):
    key = world.external_key(tag="payments")
    import_material(world.session().client("kms"), key, THEIRS)
    world.call("DisableKey", KeyId=key)

    reason = refused(key, SecretId=world.secret(OURS).name)

    assert "Disabled" in reason
    assert f"the tag {TAG}" in reason
