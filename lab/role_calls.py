"""The calls that the function's role must allow, and those that it must refuse, each with the context that AWS supplies.

One list for two readers: tests/unit/test_role.py asks the template, `make live` asks IAM about the deployed role. "Consent" of
docs/internals/design.md, its second lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

OTHER_ACCOUNT: Final = "444455556666"
TAG: Final = "aws:ResourceTag/imported-key-material"
CONTEXT_KEY: Final = "kms:EncryptionContext:imported-key-material"

type Context = Mapping[str, str | tuple[str, ...]]  # a tuple: a multivalued key


@dataclass(frozen=True, slots=True)
class Call:
    """One request to AWS: action and resource, and the context that the service supplies."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)

    def without(self, key: str) -> "Call":
        return Call(self.action, self.resource, {name: value for name, value in self.context.items() if name != key})

    def with_(self, **context: str | tuple[str, ...]) -> "Call":
        return Call(self.action, self.resource, {**self.context, **context})


@dataclass(frozen=True, slots=True)
class Place:
    """Where the function is deployed. `log_stream`: what its permission to log names."""

    account: str
    region: str
    function_name: str
    log_stream: str
    partition: str = "aws"

    def arn(self, service: str, rest: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"

    def elsewhere(self, arn: str) -> str:
        """The same thing in another account."""
        return arn.replace(self.account, OTHER_ACCOUNT)

    def away(self, arn: str) -> str:
        """The same thing in another Region."""
        return arn.replace(self.region, "us-east-1" if self.region != "us-east-1" else "eu-west-1")

    @property
    def key(self) -> str:
        return self.arn("kms", "key/1234abcd-12ab-34cd-56ef-1234567890ab")

    @property
    def secret(self) -> str:
        return self.arn("secretsmanager", "secret:orders/master-key-AbCdEf")

    @property
    def stack(self) -> str:
        return self.arn("cloudformation", "stack/orders/5a1c")

    @property
    def function(self) -> str:
        return self.arn("lambda", f"function:{self.function_name}")


TAGGED: Final[Context] = {TAG: "orders"}
TARGET: Final[Context] = {**TAGGED, "kms:KeyOrigin": "EXTERNAL"}
PARAMETERS: Final[Context] = {
    **TARGET,
    "kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256",
    "kms:WrappingKeySpec": "RSA_4096",
}


def needed(at: Place) -> Mapping[str, Call]:
    """What the function does."""
    symmetric: Context = {
        **TAGGED,
        "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        CONTEXT_KEY: f"{at.account}/orders/master-key",
        "kms:EncryptionContextKeys": ("imported-key-material",),
    }
    for_a_secret: Context = {
        "kms:ViaService": f"secretsmanager.{at.region}.amazonaws.com",
        "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "kms:EncryptionContextKeys": ("SecretARN", "SecretVersionId"),
    }
    return {
        "looks at any key": Call("kms:DescribeKey", at.key),
        "reads any key's tags": Call("kms:ListResourceTags", at.key),
        "gets parameters": Call("kms:GetParametersForImport", at.key, PARAMETERS),
        "imports": Call("kms:ImportKeyMaterial", at.key, TARGET),
        "removes": Call("kms:DeleteImportedKeyMaterial", at.key, TARGET),
        "rotates": Call("kms:RotateKeyOnDemand", at.key, TARGET),
        "lists a key's materials": Call("kms:ListKeyRotations", at.key, TARGET),
        "sees a rotation under way": Call("kms:GetKeyRotationStatus", at.key, TARGET),
        "confirms by public key": Call("kms:GetPublicKey", at.key, TARGET),
        "confirms by MAC": Call("kms:VerifyMac", at.key, TARGET),
        "unwraps a KMS ciphertext": Call("kms:Decrypt", at.key, symmetric),
        "unwraps an RSA ciphertext": Call(
            "kms:Decrypt", at.key, {**TAGGED, "kms:EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
        ),
        "looks at a secret": Call(
            "secretsmanager:DescribeSecret", at.secret, {**TAGGED, "aws:ResourceAccount": at.account}
        ),
        "reads a secret": Call(
            "secretsmanager:GetSecretValue", at.secret, {**TAGGED, "aws:ResourceAccount": at.account}
        ),
        "reads a secret under a customer key": Call("kms:Decrypt", at.key, for_a_secret),
        "looks at another account's secret": Call(
            "secretsmanager:DescribeSecret", at.elsewhere(at.secret), {"aws:ResourceAccount": OTHER_ACCOUNT}
        ),
        "reads another account's secret": Call(
            "secretsmanager:GetSecretValue", at.elsewhere(at.secret), {"aws:ResourceAccount": OTHER_ACCOUNT}
        ),
        "reads another account's secret under its key": Call("kms:Decrypt", at.elsewhere(at.key), for_a_secret),
        "looks at a stack": Call("cloudformation:DescribeStacks", at.stack),
        "looks at a stack's resource": Call("cloudformation:DescribeStackResource", at.stack),
        "reads a stack's events": Call("cloudformation:DescribeStackEvents", at.stack),
        "lists a stack's resources": Call("cloudformation:ListStackResources", at.stack),
        "hands a request over to itself": Call("lambda:InvokeFunction", at.function),
        "has Lambda hand over what failed": Call("lambda:InvokeFunction", f"{at.function}-on-failure"),
        "begins a log stream": Call("logs:CreateLogStream", at.log_stream),
        "logs": Call("logs:PutLogEvents", at.log_stream),
    }


def refused(at: Place) -> Mapping[str, Call]:
    """What it must not be able to do, whatever its code does."""
    needed_ = needed(at)
    return {
        "parameters of a key without the tag": needed_["gets parameters"].without(TAG),
        "an import into a key without the tag": needed_["imports"].without(TAG),
        "a removal from a key without the tag": needed_["removes"].without(TAG),
        "a rotation of a key without the tag": needed_["rotates"].without(TAG),
        "an import into a key of KMS's own material": needed_["imports"].with_(**{"kms:KeyOrigin": "AWS_KMS"}),
        "a rotation of a key of KMS's own material": needed_["rotates"].with_(**{"kms:KeyOrigin": "AWS_KMS"}),
        "a removal where the origin is unknown": needed_["removes"].without("kms:KeyOrigin"),
        "PKCS #1 v1.5 wrapping": needed_["gets parameters"].with_(**{"kms:WrappingAlgorithm": "RSAES_PKCS1_V1_5"}),
        "an SM2 wrapping public key": needed_["gets parameters"].with_(**{"kms:WrappingKeySpec": "SM2"}),
        "an import in another account": Call("kms:ImportKeyMaterial", at.elsewhere(at.key), TARGET),
        "an import in another Region": Call("kms:ImportKeyMaterial", at.away(at.key), TARGET),
        "unwrapping by a key without the tag": needed_["unwraps a KMS ciphertext"].without(TAG),
        "RSA unwrapping by a key without the tag": needed_["unwraps an RSA ciphertext"].without(TAG),
        "unwrapping without encryption context": needed_["unwraps a KMS ciphertext"]
        .without(CONTEXT_KEY)
        .without("kms:EncryptionContextKeys"),
        "a ciphertext made for something else": Call(
            "kms:Decrypt",
            at.key,
            {
                **TAGGED,
                "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "kms:EncryptionContext:app": "x",
                "kms:EncryptionContextKeys": ("app",),
            },
        ),
        "a ciphertext whose context has more keys": needed_["unwraps a KMS ciphertext"].with_(
            **{"kms:EncryptionContextKeys": ("app", "imported-key-material")}
        ),
        "a context key in another case": needed_["unwraps a KMS ciphertext"].with_(
            **{"kms:EncryptionContextKeys": ("Imported-Key-Material",)}
        ),
        "SM2 unwrapping": needed_["unwraps an RSA ciphertext"].with_(**{"kms:EncryptionAlgorithm": "SM2PKE"}),
        "a transport key of another account": Call(
            "kms:Decrypt", at.elsewhere(at.key), needed_["unwraps a KMS ciphertext"].context
        ),
        "a secret's key asked directly": Call("kms:Decrypt", at.key, {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
        "a key by way of another service": needed_["reads a secret under a customer key"].with_(
            **{"kms:ViaService": f"s3.{at.region}.amazonaws.com"}
        ),
        "a secret without the tag": needed_["reads a secret"].without(TAG),
        "a look at a secret without the tag": needed_["looks at a secret"].without(TAG),
        "a secret without the tag, where its account is unknown": Call("secretsmanager:GetSecretValue", at.secret),
        "a secret in another Region": Call(
            "secretsmanager:GetSecretValue", at.away(at.secret), {**TAGGED, "aws:ResourceAccount": at.account}
        ),
        "another account's stacks": Call("cloudformation:DescribeStacks", at.elsewhere(at.stack)),
        "a stack set": Call("cloudformation:DescribeStacks", at.stack.replace(":stack/orders/", ":stackset/orders:")),
        "another function": Call("lambda:InvokeFunction", f"{at.function}-on-fire"),
        "a version of itself": Call("lambda:InvokeFunction", f"{at.function}:1"),
        "another log group": Call("logs:PutLogEvents", at.arn("logs", "log-group:/aws/lambda/other:*")),
    }
