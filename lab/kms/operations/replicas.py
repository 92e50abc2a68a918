"""Multi-Region keys: replicas, and which Region is the primary (C-60, C-65, C-66, C-91)."""

from lab.kms import policies
from lab.kms.call import Answer, Call, Target
from lab.kms.errors import KmsError, unsupported, validation
from lab.kms.keys import AWS_KMS, RegionalKey
from lab.kms.operations.keys import metadata
from lab.kms.operations.tags import as_dict, as_list, require_taggable
from lab.kms.store import key_arn, partition_of


def replicate_key(call: Call) -> Answer:
    target = call.target()
    _require_primary(target)
    target.require_state(call.operation)  # C-60
    region = call.params["ReplicaRegion"]
    if partition_of(region) != target.family.partition:
        raise validation(f"ReplicaRegion {region} is not in the partition {target.family.partition}.")
    if region in target.family.keys:
        arn = key_arn(region, call.account, target.family.key_id)
        raise KmsError("AlreadyExistsException", f"{arn} already exists")
    policy = call.params.get("Policy")
    if policy is not None:
        policies.require_well_formed(policy)
    given = call.params.get("Tags", [])
    replica = RegionalKey(
        region=region,
        arn=key_arn(region, call.account, target.family.key_id),
        created_at=call.now,
        busy_until=call.now + call.backstage.draw(call.backstage.timing.replica_creation_seconds),
        created=False,  # C-65
        policy=policy or policies.default_policy(call.account, region),
        description=call.params.get("Description", ""),
        tags=require_taggable({}, as_dict(given), given),
    )
    if target.family.origin == AWS_KMS:
        replica.holdings = dict(target.key.holdings)

    target.family.keys[region] = replica
    return {
        "ReplicaKeyMetadata": metadata(Target(target.family, replica, call.now)),
        "ReplicaPolicy": replica.policy,
        "ReplicaTags": as_list(replica.tags),
    }


def update_primary_region(call: Call) -> Answer:
    """Both keys are Updating for a while."""
    target = call.target()
    _require_primary(target)
    target.require_state(call.operation)
    new_primary = target.family.keys.get(call.params["PrimaryRegion"])
    if new_primary is None or new_primary is target.key:
        raise unsupported(f"{target.arn} has no replica in {call.params['PrimaryRegion']}.")
    Target(target.family, new_primary, call.now).require_state(call.operation)
    busy_until = call.now + call.backstage.draw(call.backstage.timing.primary_update_seconds)
    target.family.primary_region = new_primary.region
    target.key.busy_until = new_primary.busy_until = busy_until
    return {}


def _require_primary(target: Target) -> None:
    if not target.is_primary:  # C-66
        raise unsupported(f"{target.arn} is not a multi-region primary key.")
