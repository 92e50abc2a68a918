"""Every operation that this KMS knows. Any other operation is refused, not guessed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.kms.call import Answer, Call
from lab.kms.operations import aliases, encryption, imports, keys, replicas, rotation, signing, tags


@dataclass(frozen=True, slots=True)
class Operation:
    run: Callable[[Call], Answer]
    changes: bool  # whether it can change a key; if not, it may see an old state (C-101)


def _read(run: Callable[[Call], Answer]) -> Operation:
    return Operation(run, changes=False)


def _change(run: Callable[[Call], Answer]) -> Operation:
    return Operation(run, changes=True)


OPERATIONS: Mapping[str, Operation] = {
    "CreateKey": _change(keys.create_key),
    "DescribeKey": _read(keys.describe_key),
    "ListKeys": _read(keys.list_keys),
    "UpdateKeyDescription": _change(keys.update_key_description),
    "EnableKey": _change(keys.enable_key),
    "DisableKey": _change(keys.disable_key),
    "ScheduleKeyDeletion": _change(keys.schedule_key_deletion),
    "CancelKeyDeletion": _change(keys.cancel_key_deletion),
    "GetParametersForImport": _change(imports.get_parameters_for_import),
    "ImportKeyMaterial": _change(imports.import_key_material),
    "DeleteImportedKeyMaterial": _change(imports.delete_imported_key_material),
    "ListKeyRotations": _read(rotation.list_key_rotations),
    "RotateKeyOnDemand": _change(rotation.rotate_key_on_demand),
    "GetKeyRotationStatus": _read(rotation.get_key_rotation_status),
    "EnableKeyRotation": _change(rotation.enable_key_rotation),
    "DisableKeyRotation": _change(rotation.disable_key_rotation),
    "ReplicateKey": _change(replicas.replicate_key),
    "UpdatePrimaryRegion": _change(replicas.update_primary_region),
    "CreateAlias": _change(aliases.create_alias),
    "UpdateAlias": _change(aliases.update_alias),
    "DeleteAlias": _change(aliases.delete_alias),
    "ListAliases": _read(aliases.list_aliases),
    "TagResource": _change(tags.tag_resource),
    "UntagResource": _change(tags.untag_resource),
    "ListResourceTags": _read(tags.list_resource_tags),
    "GetKeyPolicy": _read(tags.get_key_policy),
    "PutKeyPolicy": _change(tags.put_key_policy),
    "ListKeyPolicies": _read(tags.list_key_policies),
    "Encrypt": _change(encryption.encrypt),
    "Decrypt": _change(encryption.decrypt),
    "ReEncrypt": _change(encryption.re_encrypt),
    "GenerateDataKey": _change(encryption.generate_data_key),
    "GenerateDataKeyWithoutPlaintext": _change(encryption.generate_data_key_without_plaintext),
    "GenerateRandom": _change(encryption.generate_random),
    "GenerateMac": _change(signing.generate_mac),
    "VerifyMac": _change(signing.verify_mac),
    "Sign": _change(signing.sign),
    "Verify": _change(signing.verify),
    "GetPublicKey": _read(signing.get_public_key),
    "DeriveSharedSecret": _change(signing.derive_shared_secret),
}
