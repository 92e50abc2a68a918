"""`ImportedKey`: a KMS key that holds your own key material, for stacks of the CDK. Copy this file into your app.

It makes an empty KMS key with the tag that lets the stack fill it, the Custom::ImportedKeyMaterial that fills it, and an alias.
All that uses `ImportedKey.key` waits until the key is usable: grants, buckets, tables.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws, CfnTag, CustomResource, Fn, RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct


class ImportedKey(Construct):
    """`key` is the usable key, `material` the resource with the attributes of docs/properties.md, such as CheckValue.

    `secret_id`: the secret that holds the wrapped material. `transport_key_id`: the transport key of this secret. The tag
    imported-key-material of both names the stack. `removal_policy`: what happens to key and material when the resources are
    removed or replaced; the default keeps both, unless the first deployment fails. `properties`: other properties of
    Custom::ImportedKeyMaterial, such as SecretVersionId; they override ours.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        secret_id: str,
        transport_key_id: str = "alias/transport",
        alias_name: str | None = None,
        key_spec: str = "SYMMETRIC_DEFAULT",
        key_usage: str = "ENCRYPT_DECRYPT",
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        service_token_export: str = "imported-key-material-ServiceToken",
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        empty = kms.CfnKey(  # kms.Key has no Origin
            self,
            "Key",
            origin="EXTERNAL",
            key_spec=key_spec,
            key_usage=key_usage,
            tags=[CfnTag(key="imported-key-material", value=Aws.STACK_NAME)],
        )
        empty.apply_removal_policy(removal_policy)
        self.material = CustomResource(
            self,
            "Material",
            resource_type="Custom::ImportedKeyMaterial",
            service_token=Fn.import_value(service_token_export),
            removal_policy=removal_policy,  # without it CDK deletes, and the retained key would lose its material
            properties={
                "KeyId": empty.attr_arn,
                "SecretId": secret_id,
                "SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": transport_key_id},
                **(properties or {}),
            },
        )
        key_arn = self.material.get_att_string("KeyArn")  # not the ARN of `empty`: who uses this one, waits
        self.key = kms.Key.from_key_arn(self, "Usable", key_arn)
        if alias_name:
            kms.CfnAlias(self, "Alias", alias_name=alias_name, target_key_id=key_arn)
