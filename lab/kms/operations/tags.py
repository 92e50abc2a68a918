"""Tags and key policies, as far as CloudFormation's key resource and the consent tag need them."""

from collections.abc import Mapping, Sequence

from lab.kms import policies
from lab.kms.call import Answer, Call
from lab.kms.errors import KmsError, not_found, validation

MAX_TAGS = 50
_POLICY_NAME = "default"


def as_dict(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["TagKey"]: tag["TagValue"] for tag in tags}


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": name, "TagValue": value} for name, value in tags.items()]


def require_taggable(
    present: Mapping[str, str], added: Mapping[str, str], given: Sequence[Mapping[str, str]]
) -> dict[str, str]:
    """The tags that a key has afterwards."""
    if len(added) != len(given):
        raise KmsError("TagException", "Duplicate tag keys")
    for name in added:
        if name.startswith("aws:"):
            raise KmsError("TagException", f"Tag key {name} is not allowed: the prefix aws: is reserved.")
    tags = {**present, **added}
    if len(tags) > MAX_TAGS:
        raise KmsError("LimitExceededException", "Too many tags")
    return tags


def tag_resource(call: Call) -> Answer:
    target = call.target()
    target.require_state(call.operation)
    given = call.params["Tags"]
    target.key.tags = require_taggable(target.key.tags, as_dict(given), given)
    return {}


def untag_resource(call: Call) -> Answer:
    target = call.target()
    target.require_state(call.operation)
    for name in call.params["TagKeys"]:
        target.key.tags.pop(name, None)
    return {}


def list_resource_tags(call: Call) -> Answer:
    target = call.target()
    page, rest = call.page(as_list(target.key.tags), default_limit=50, max_limit=50)
    return {"Tags": page} | rest


# --------------------------------------------------------------------------------------------------------- key policies


def get_key_policy(call: Call) -> Answer:
    target = call.target()
    if call.params.get("PolicyName", _POLICY_NAME) != _POLICY_NAME:
        raise not_found("No such policy exists")
    return {"Policy": target.key.policy, "PolicyName": _POLICY_NAME}


def put_key_policy(call: Call) -> Answer:
    target = call.target()
    if call.params.get("PolicyName", _POLICY_NAME) != _POLICY_NAME:
        raise validation("PolicyName must be 'default'")
    policies.require_well_formed(call.params["Policy"])
    target.key.policy = call.params["Policy"]
    return {}


def list_key_policies(call: Call) -> Answer:
    call.target()
    page, rest = call.page([_POLICY_NAME], default_limit=100, max_limit=1000)
    return {"PolicyNames": page} | rest
