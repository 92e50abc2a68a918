"""The boto3 clients, made in one place.

There are two clients for KMS. One has botocore's retries. The other has none, for calls whose every try the function must see
(`kms_key.KmsWithoutRetries`). Timeouts are short, so that one call can't use up the time that is reserved for the answer.
Lambda's client is made only when a request is handed over: it would cost 2.5% of a cold start, and most requests never need it.
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
    """The one call of boto3's client that is used."""

    def invoke(self, **parameters: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Clients:
    """All that the function calls, besides the ResponseURL."""

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
    """`fips_services`: as in `boto_session.config`."""

    def client(service: str, tries: int = TRIES_PER_CALL) -> object:
        settings = config(service, fips_services, tries)
        return session.client(service, config=settings)  # type: ignore[call-overload]  # only the names below

    return Clients(
        kms=cast("Kms", client("kms")),
        kms_without_retries=cast("KmsWithoutRetries", client("kms", tries=1)),
        secrets=cast("SecretsManager", client("secretsmanager")),
        cloudformation=cast("CloudFormation", client("cloudformation")),
        functions=WhenNeeded(lambda: client("lambda")),
    )
