"""Creates, describes, enables and disables keys, and schedules their deletion (C-81, C-87, C-88, C-90)."""

import hashlib
import hmac
from datetime import datetime

from lab.kms import policies
from lab.kms.call import Answer, Call, Target
from lab.kms.errors import not_modelled, unsupported, validation
from lab.kms.keys import (
    AWS_KMS,
    EXTERNAL,
    Deletion,
    Family,
    Holding,
    KeyState,
    Material,
    MaterialState,
    RegionalKey,
)
from lab.kms.operations.tags import as_dict, require_taggable
from lab.kms.specs import ENCRYPT, NO_IMPORT_PREFIXES, SPECS
from lab.kms.store import key_arn, partition_of

DELETION_WINDOW_DAYS = (7, 30)
_NOT_MODELLED = ("CustomKeyStoreId", "XksKeyId")
# #: Key specs that the answer's older member (CustomerMasterKeySpec) does not have.
_NO_CUSTOMER_MASTER_KEY_SPEC = ("ECC_NIST_EDWARDS25519",)
_ALGORITHM_MEMBERS = {
    "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
    "SIGN_VERIFY": "SigningAlgorithms",
    "GENERATE_VERIFY_MAC": "MacAlgorithms",
    "KEY_AGREEMENT": "KeyAgreementAlgorithms",
}


def create_key(call: Call) -> Answer:
    spec_name, usage, origin = _what_to_make(call)
    policy = call.params.get("Policy")
    if policy is not None:
        policies.require_well_formed(policy)
    tags = require_taggable({}, as_dict(call.params.get("Tags", [])), call.params.get("Tags", []))

    raw_id = f"{call.backstage.random.getrandbits(128):032x}"
    multi_region = call.params.get("MultiRegion", False)
    key_id = (
        f"mrk-{raw_id}"
        if multi_region
        else "-".join((raw_id[:8], raw_id[8:12], raw_id[12:16], raw_id[16:20], raw_id[20:]))
    )
    key = RegionalKey(
        region=call.region,
        arn=key_arn(call.region, call.account, key_id),
        created_at=call.now,
        busy_until=call.now,
        created=True,
        policy=policy or policies.default_policy(call.account, call.region),
        description=call.params.get("Description", ""),
        tags=tags,
    )
    family = Family(
        key_id=key_id,
        account=call.account,
        partition=partition_of(call.region),
        spec_name=spec_name,
        usage=usage,
        origin=origin,
        multi_region=multi_region,
        primary_region=call.region,
        keys={call.region: key},
    )
    if origin == AWS_KMS:
        add_generated_material(call, family, MaterialState.CURRENT)
    call.store.families[key_id] = family
    call.touched.append(family)
    return {"KeyMetadata": metadata(Target(family, key, call.now))}


def _what_to_make(call: Call) -> tuple[str, str, str]:
    params = call.params
    for parameter in _NOT_MODELLED:
        if parameter in params:
            raise not_modelled(parameter)
    if "KeySpec" in params and "CustomerMasterKeySpec" in params:
        raise validation("You cannot specify KeySpec and CustomerMasterKeySpec in the same request.")
    spec_name = params.get("KeySpec", params.get("CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"))
    origin = params.get("Origin", AWS_KMS)
    if origin not in (AWS_KMS, EXTERNAL):
        raise not_modelled(f"keys of origin {origin}")
    if origin == EXTERNAL and spec_name.startswith(NO_IMPORT_PREFIXES):  # C-6
        raise unsupported(f"KeySpec {spec_name} is not supported for Origin {EXTERNAL}.")
    if spec_name not in SPECS:  # SM2 outside China (C-7), and the post-quantum ones
        raise not_modelled(f"the key spec {spec_name}")
    usage = params.get("KeyUsage")
    if usage is None and spec_name != "SYMMETRIC_DEFAULT":  # C-87
        raise validation("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
    usage = usage or ENCRYPT
    if usage not in SPECS[spec_name].algorithms:
        raise validation(f"KeyUsage {usage} is not compatible with KeySpec {spec_name}")
    return spec_name, usage, origin


def add_generated_material(call: Call, family: Family, state: MaterialState) -> Material:
    """New material that KMS generates, in every Region of the key at once."""
    secret = call.backstage.generator.secret(family.spec)
    material = Material(material_id(call, family, secret.encoded), state)
    family.put(material)
    for key in family.keys.values():
        key.holdings[material.id] = Holding(secret, None)
    return material


def material_id(call: Call, family: Family, encoded: bytes) -> str:
    """C-37: bound to the key and the bytes, the same in all Regions; nobody outside can compute it."""
    return hmac.digest(call.backstage.material_id_key, family.key_id.encode() + encoded, hashlib.sha256).hex()


# ---------------------------------------------------------------------------------------------------------- description


def describe_key(call: Call) -> Answer:
    return {"KeyMetadata": metadata(call.target(by_alias=True, cross_account=True))}


def metadata(target: Target) -> Answer:
    """KeyMetadata. Members that do not apply are left out; pending material is not shown (C-83)."""
    family, key, state = target.family, target.key, target.state
    found: Answer = {
        "AWSAccountId": family.account,
        "KeyId": family.key_id,
        "Arn": key.arn,
        "CreationDate": key.created_at,
        "Enabled": state in (KeyState.ENABLED, KeyState.UPDATING) and key.switched_on,
        "Description": key.description,
        "KeyUsage": family.usage,
        "KeyState": str(state),
        "Origin": family.origin,
        "KeyManager": "CUSTOMER",
        "KeySpec": family.spec_name,
        "MultiRegion": family.multi_region,
        _ALGORITHM_MEMBERS[family.usage]: list(family.spec.algorithms[family.usage]),
    }
    if family.spec_name not in _NO_CUSTOMER_MASTER_KEY_SPEC:
        found["CustomerMasterKeySpec"] = family.spec_name
    if family.is_symmetric and family.current is not None:  # C-52: kept after deletion and expiry
        found["CurrentKeyMaterialId"] = family.current.id
    return found | _expiry(family, key) | _deletion(key) | _regions(family, key)


def _expiry(family: Family, key: RegionalKey) -> Answer:
    """C-52: dropped once material is missing. With several materials, the earliest expiry counts."""
    if family.origin != EXTERNAL or not family.is_whole(key):
        return {}
    permanent = [material for material in family.materials if material.state is not MaterialState.PENDING]
    expiries: list[datetime] = [
        valid_to for material in permanent if (valid_to := key.holdings[material.id].valid_to) is not None
    ]
    if not expiries:
        return {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    return {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": min(expiries)}


def _deletion(key: RegionalKey) -> Answer:
    if key.deletion is None:
        return {}
    if key.deletion.at is None:
        return {"PendingDeletionWindowInDays": key.deletion.window_days}
    return {"DeletionDate": key.deletion.at}


def _regions(family: Family, key: RegionalKey) -> Answer:
    if not family.multi_region:
        return {}
    others = [one for one in family.keys.values() if one.region != family.primary_region]
    primary_arn = key_arn(family.primary_region, family.account, family.key_id)
    return {
        "MultiRegionConfiguration": {
            "MultiRegionKeyType": "PRIMARY" if key.region == family.primary_region else "REPLICA",
            "PrimaryKey": {"Arn": primary_arn, "Region": family.primary_region},
            "ReplicaKeys": [{"Arn": one.arn, "Region": one.region} for one in others],
        }
    }


def list_keys(call: Call) -> Answer:
    entries = [
        {"KeyId": family.key_id, "KeyArn": family.keys[call.region].arn}
        for family in call.store.all_families(call.now)
        if family.account == call.account and call.region in family.keys
    ]
    page, rest = call.page(entries, default_limit=100, max_limit=1000)
    return {"Keys": page} | rest


def update_key_description(call: Call) -> Answer:
    target = call.target()
    target.require_state(call.operation)
    target.key.description = call.params["Description"]
    return {}


# ------------------------------------------------------------------------------------------------- switch and deletion


def enable_key(call: Call) -> Answer:
    return _switch(call, on=True)


def disable_key(call: Call) -> Answer:
    return _switch(call, on=False)


def _switch(call: Call, *, on: bool) -> Answer:
    target = call.target()
    target.require_state(call.operation)
    target.key.switched_on = on
    return {}


def schedule_key_deletion(call: Call) -> Answer:
    target = call.target()
    days = call.params.get("PendingWindowInDays", DELETION_WINDOW_DAYS[1])
    if not DELETION_WINDOW_DAYS[0] <= days <= DELETION_WINDOW_DAYS[1]:
        raise validation("PendingWindowInDays must be between 7 and 30 days.")
    target.require_state(call.operation)  # C-88: scheduling twice
    deletion = Deletion(days, None)
    if not (target.is_primary and len(target.family.keys) > 1):
        deletion = deletion.starting(call.now)
    target.key.deletion = deletion
    answer: Answer = {"KeyId": target.arn, "KeyState": str(target.state), "PendingWindowInDays": days}
    return answer | ({} if deletion.at is None else {"DeletionDate": deletion.at})


def cancel_key_deletion(call: Call) -> Answer:
    target = call.target()
    target.require_state(call.operation)
    target.key.deletion = None
    target.key.switched_on = False  # C-88
    return {"KeyId": target.arn}
