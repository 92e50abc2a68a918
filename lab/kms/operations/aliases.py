"""Aliases: names of keys, per account and Region. An alias disappears with its key."""

from dataclasses import replace

from lab.kms.call import Answer, Call
from lab.kms.errors import KmsError, invalid_key_usage, not_found, validation
from lab.kms.store import Alias, alias_arn

_PREFIX, _RESERVED_PREFIX = "alias/", "alias/aws/"


def create_alias(call: Call) -> Answer:
    name = _new_name(call)
    target = call.target("TargetKeyId")
    target.require_state(call.operation)
    place = call.account, call.region, name
    if place in call.store.aliases:
        arn = alias_arn(call.region, call.account, name)
        raise KmsError("AlreadyExistsException", f"An alias with the name {arn} already exists")
    call.store.aliases[place] = Alias(name, call.account, call.region, target.family.key_id, call.now, call.now)
    return {}


def _new_name(call: Call) -> str:
    name: str = call.params["AliasName"]
    if not name.startswith(_PREFIX):
        raise validation(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(_RESERVED_PREFIX) or name == _PREFIX:
        raise KmsError("InvalidAliasNameException", f"The alias name {name} is not valid.")
    return name


def update_alias(call: Call) -> Answer:
    """The new key must be of the old one's kind and usage."""
    alias = _existing(call)
    target = call.target("TargetKeyId")
    target.require_state(call.operation)
    old = call.store.family(alias.key_id, call.now)
    new = target.family
    if old is not None and (old.usage, old.spec.kind) != (new.usage, new.spec.kind):
        raise invalid_key_usage(f"{target.arn} and the alias's present key differ in key type or key usage.")
    place = call.account, call.region, alias.name
    call.store.aliases[place] = replace(alias, key_id=new.key_id, updated_at=call.now)
    return {}


def delete_alias(call: Call) -> Answer:
    alias = _existing(call)
    del call.store.aliases[call.account, call.region, alias.name]
    return {}


def _existing(call: Call) -> Alias:
    name = call.params["AliasName"]
    alias = call.store.aliases.get((call.account, call.region, name))
    if alias is None:
        raise not_found(f"Alias {alias_arn(call.region, call.account, name)} is not found.")
    return alias


def list_aliases(call: Call) -> Answer:
    key_id = call.target().family.key_id if "KeyId" in call.params else None
    entries = [
        {
            "AliasName": alias.name,
            "AliasArn": alias_arn(alias.region, alias.account, alias.name),
            "TargetKeyId": alias.key_id,
            "CreationDate": alias.created_at,
            "LastUpdatedDate": alias.updated_at,
        }
        for alias in call.store.aliases_of(call.account, call.region, key_id)
    ]
    page, rest = call.page(entries, default_limit=50, max_limit=100)
    return {"Aliases": page} | rest
