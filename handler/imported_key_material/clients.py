"""The boto3 clients, made in one place.

Two clients for KMS: one with botocore's own retries, and one without any, for the two calls whose every try must be seen
(`key_view.KmsWithoutRetries`). Timeouts are short, so that one call can't eat the time that is kept for the answer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import boto3
from botocore.config import Config

from imported_key_material.calling import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, TRIES_PER_CALL
from imported_key_material.key_view import Kms
from imported_key_material.kms_key import KmsWithoutRetries
from imported_key_material.secret import SecretsManager
from imported_key_material.stack import CloudFormation


@dataclass(frozen=True, slots=True)
class Clients:
    """All that the function talks to, besides the ResponseURL."""

    kms: Kms
    kms_without_retries: KmsWithoutRetries
    secrets: SecretsManager
    cloudformation: CloudFormation


def make(session: boto3.session.Session, fips_services: Collection[str] = ()) -> Clients:
    """`fips_services`: those whose FIPS endpoint is used; botocore would also compose names that do not exist."""

    def config(service: str, tries: int) -> Config:
        return Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": tries},
            use_fips_endpoint=service in fips_services,
        )

    def client(service: str, tries: int = TRIES_PER_CALL) -> object:
        return session.client(service, config=config(service, tries))  # type: ignore[call-overload]  # a name from here alone

    return Clients(
        kms=cast("Kms", client("kms")),
        kms_without_retries=cast("KmsWithoutRetries", client("kms", tries=1)),
        secrets=cast("SecretsManager", client("secretsmanager")),
        cloudformation=cast("CloudFormation", client("cloudformation")),
    )
