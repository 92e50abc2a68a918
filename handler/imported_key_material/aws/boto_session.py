"""What both functions take from boto3's session: the partition's DNS suffix, and how a client is configured.

It is not in `clients.py`: that module imports all that the first function calls. The on-failure function must start even if
those modules can't be loaded.
"""

from collections.abc import Collection

import boto3
from botocore.config import Config

from imported_key_material.aws.calls import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, TRIES_PER_CALL


def dns_suffix(session: boto3.session.Session) -> str:
    """The DNS suffix of the partition of the function's Region: amazonaws.com, amazonaws.com.cn."""
    partition = session.get_partition_for_region(session.region_name)
    known = session._session.get_data("partitions")["partitions"]  # noqa: SLF001  # boto3 gives no other way
    suffix: str = next(one["outputs"]["dnsSuffix"] for one in known if one["id"] == partition)
    return suffix


def services(names: str) -> list[str]:
    """The value of FIPS_SERVICES (template.yaml): names separated by commas, or "" for none."""
    return [name for name in names.split(",") if name]


def config(service: str, fips_services: Collection[str] = (), tries: int = TRIES_PER_CALL) -> Config:
    """Timeouts are short, so that one call can't use up the time that is reserved for the answer.

    `fips_services`: the services that are called at their FIPS endpoint. botocore would also make up names of endpoints that
    do not exist.
    """
    return Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": tries},
        use_fips_endpoint=service in fips_services,
    )
