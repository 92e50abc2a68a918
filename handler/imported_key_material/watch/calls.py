"""The calls of one run of the watch: a throttle or a fault is waited out, every other error is a ServiceRefused.

The watch has its own protocols of clients: its role may make these calls, and no others (template.yaml).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from imported_key_material.aws.calls import Caller
from imported_key_material.errors import CannotHappen


class Kms(Protocol):
    """The calls of boto3's client that are used."""

    def list_keys(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_aliases(self, **parameters: object) -> Mapping[str, Any]: ...
    def describe_key(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_resource_tags(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_key_rotations(self, **parameters: object) -> Mapping[str, Any]: ...


class CloudFormation(Protocol):
    """The calls of boto3's client that are used."""

    def list_imports(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_stack_resources(self, **parameters: object) -> Mapping[str, Any]: ...


class Sns(Protocol):
    """The one call of boto3's client that is used."""

    def publish(self, **parameters: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Clients:
    """All that the watch calls."""

    kms: Kms
    cloudformation: CloudFormation
    sns: Sns


@dataclass(frozen=True, slots=True)
class Calls:
    """`look.Ask`, and the publication."""

    clients: Clients
    caller: Caller

    def __call__(self, operation: str, /, **parameters: object) -> Mapping[str, Any]:
        """Raises ServiceRefused; OutOfTime, or Throttled."""
        function = {
            "kms:ListKeys": self.clients.kms.list_keys,
            "kms:ListAliases": self.clients.kms.list_aliases,
            "kms:DescribeKey": self.clients.kms.describe_key,
            "kms:ListResourceTags": self.clients.kms.list_resource_tags,
            "kms:ListKeyRotations": self.clients.kms.list_key_rotations,
            "cloudformation:ListImports": self.clients.cloudformation.list_imports,
            "cloudformation:ListStackResources": self.clients.cloudformation.list_stack_resources,
        }.get(operation)
        if function is None:
            raise CannotHappen("A read that the watch does not make.")
        return self.caller.call(operation, lambda: function(**parameters), where="The watch")

    def publish(self, topic_arn: str, subject: str, message: str) -> None:
        """Raises as a read. An answer that is lost leads to a second message; a message that is lost would be worse."""
        self.caller.call(
            "sns:Publish",
            lambda: self.clients.sns.publish(TopicArn=topic_arn, Subject=subject, Message=message),
            where="AlarmTopicArn",
        )
