"""What both functions take from boto3's session: the partition's DNS suffix, and how a client is configured.

Apart from `clients.py`, which knows all that the first function calls, and with it the whole life cycle: the on-failure
function must start where that can't be loaded.
"""

from collections.abc import Collection

import boto3
from botocore.config import Config

from imported_key_material.aws.calls import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, TRIES_PER_CALL


def dns_suffix(session: boto3.session.Session) -> str:
    """Of the partition of the function's Region: amazonaws.com, amazonaws.com.cn."""
    partition = session.get_partition_for_region(session.region_name)
    known = session._session.get_data("partitions")["partitions"]  # noqa: SLF001  # boto3 gives no other way
    suffix: str = next(one["outputs"]["dnsSuffix"] for one in known if one["id"] == partition)
    return suffix


def services(names: str) -> list[str]:
    """The value of FIPS_SERVICES (template.yaml): names separated by commas, or "" for none."""
    return [name for name in names.split(",") if name]


def config(service: str, fips_services: Collection[str] = (), tries: int = TRIES_PER_CALL) -> Config:
    """Timeouts are short, so that one call can't eat the time that is kept for the answer.

    `fips_services`: those whose FIPS endpoint is used; botocore would also compose names that do not exist.
    """
    return Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": tries},
        use_fips_endpoint=service in fips_services,
    )
