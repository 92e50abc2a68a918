"""The boto3 clients, made in one place.

Two clients for KMS: one with botocore's own retries, and one without any, for the calls whose every try must be seen
(`kms_key.KmsWithoutRetries`). Timeouts are short, so that one call can't eat the time that is kept for the answer. Lambda's
client is made when a request is handed over, which most never are: to make it takes a fortieth of a cold start.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

import boto3

from imported_key_material.aws.boto_session import config
from imported_key_material.aws.calls import TRIES_PER_CALL
from imported_key_material.aws.cloudformation_reads import CloudFormation
from imported_key_material.aws.kms_key import KmsWithoutRetries
from imported_key_material.aws.kms_reads import Kms
from imported_key_material.aws.secret import SecretsManager


class LambdaFunctions(Protocol):
    """The one call used of boto3's client."""

    def invoke(self, **parameters: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Clients:
    """All that the function talks to, besides the ResponseURL."""

    kms: Kms
    kms_without_retries: KmsWithoutRetries
    secrets: SecretsManager
    cloudformation: CloudFormation
    functions: LambdaFunctions


class WhenNeeded:
    """Lambda's client, made with its first call."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    @cached_property
    def client(self) -> LambdaFunctions:
        return cast("LambdaFunctions", self._make())

    def invoke(self, **parameters: object) -> Mapping[str, Any]:
        return self.client.invoke(**parameters)


def make(session: boto3.session.Session, fips_services: Collection[str] = ()) -> Clients:
    """`fips_services`: those whose FIPS endpoint is used; botocore would also compose names that do not exist."""

    def client(service: str, tries: int = TRIES_PER_CALL) -> object:
        settings = config(service, fips_services, tries)
        return session.client(service, config=settings)  # type: ignore[call-overload]  # a name from here alone

    return Clients(
        kms=cast("Kms", client("kms")),
        kms_without_retries=cast("KmsWithoutRetries", client("kms", tries=1)),
        secrets=cast("SecretsManager", client("secretsmanager")),
        cloudformation=cast("CloudFormation", client("cloudformation")),
        functions=WhenNeeded(lambda: client("lambda")),
    )
