"""Reads any KMS key with the function's own rights. Each call waits out errors that pass by themselves."""

from collections.abc import Mapping
from typing import Any, Protocol

from imported_key_material.aws import kms_pages
from imported_key_material.aws.calls import NEW_KEY, Caller
from imported_key_material.aws.key_view import KeyView, tags_of
from imported_key_material.aws.meanings import NO_MEANINGS, Meaning


class Kms(Protocol):
    """The calls of boto3's client that are used."""

    def describe_key(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_resource_tags(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_key_rotations(self, **parameters: object) -> Mapping[str, Any]: ...
    def get_key_rotation_status(self, **parameters: object) -> Mapping[str, Any]: ...
    def get_public_key(self, **parameters: object) -> Mapping[str, Any]: ...
    def verify_mac(self, **parameters: object) -> Mapping[str, Any]: ...
    def decrypt(self, **parameters: object) -> Mapping[str, Any]: ...


def look(
    key_id: str,
    kms: Kms,
    caller: Caller,
    *,
    where: str = "KeyId",
    waits: Mapping[str, float] = NEW_KEY,
    meanings: Mapping[str, Meaning] = NO_MEANINGS,
) -> KeyView:
    """DescribeKey, by id, ARN or alias."""
    answer = caller.call(
        "kms:DescribeKey", lambda: kms.describe_key(KeyId=key_id), where=where, waits=waits, meanings=meanings
    )
    return KeyView.of_metadata(answer["KeyMetadata"])


def tags(key_arn: str, kms: Kms, caller: Caller, *, where: str) -> dict[str, str]:
    def page(marker: Mapping[str, object]) -> Mapping[str, Any]:
        return caller.call(
            "kms:ListResourceTags",
            lambda: kms.list_resource_tags(KeyId=key_arn, **marker),
            where=where,
            waits=NEW_KEY,
        )

    return tags_of(kms_pages.of(page))
