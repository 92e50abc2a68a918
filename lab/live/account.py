"""The AWS account that a run uses: the caller's own, with ordinary credentials, or the local AWS."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import boto3
from botocore.config import Config

from lab.local.clients import client as local_client
from lab.local.settings import Settings

_making = threading.Lock()  # several threads may use a client, but only one may make one at a time
_CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=10, read_timeout=70)


class Account(Protocol):
    """`environment`: variables with which SAM uses this account. `is_local`: nothing that it shows counts as seen on AWS.

    `profile`: that names its credentials; "" for the account of the run itself.
    """

    @property
    def number(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def partition(self) -> str: ...
    @property
    def is_local(self) -> bool: ...
    @property
    def profile(self) -> str: ...
    @property
    def application_parameters(self) -> Mapping[str, str]: ...
    def environment(self) -> Mapping[str, str]: ...
    def bucket_url(self, bucket: str) -> str: ...
    def client(self, service: str, region: str | None = None) -> Any: ...
    def now(self) -> datetime: ...
    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class RealAccount:
    """The account of a boto3 session. Raises what STS raises if there are no credentials."""

    session: boto3.session.Session
    number: str
    partition: str
    is_local: bool = False
    profile: str = ""

    @classmethod
    def of(cls, session: boto3.session.Session, profile: str = "") -> "RealAccount":
        caller = session.client("sts", config=_CONFIG).get_caller_identity()
        return cls(session, caller["Account"], caller["Arn"].split(":")[1], profile=profile)

    @classmethod
    def of_profile(cls, profile: str, region: str) -> "RealAccount":
        """Another account, in this Region. Raises what boto3 raises if there is no such profile."""
        return cls.of(boto3.Session(profile_name=profile, region_name=region), profile)

    @property
    def region(self) -> str:
        return self.session.region_name

    @property
    def application_parameters(self) -> Mapping[str, str]:
        return {}

    def bucket_url(self, bucket: str) -> str:
        suffix = self.session.client("s3").meta.endpoint_url.rpartition(f"{self.region}.")[2]
        return f"https://{bucket}.s3.{self.region}.{suffix}"

    def environment(self) -> Mapping[str, str]:
        credentials = self.session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
        if frozen is None:
            return {}
        token = {"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {}
        keys = {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
        return {**keys, **token, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}

    def client(self, service: str, region: str | None = None) -> Any:
        with _making:
            return self.session.client(service, region_name=region, config=_CONFIG)  # type: ignore[call-overload]  # any service

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """The local AWS."""

    settings: Settings
    is_local: bool = True
    partition: str = "aws"
    profile: str = ""

    @property
    def number(self) -> str:
        return self.settings.account

    @property
    def region(self) -> str:
        return self.settings.region

    @property
    def application_parameters(self) -> Mapping[str, str]:
        return {"ResponseHost": self.settings.response_host}

    def bucket_url(self, bucket: str) -> str:
        return f"{self.settings.endpoint_url}/{bucket}"

    def environment(self) -> Mapping[str, str]:
        return {"HOME": self.settings.folder, **self.settings.environment()}

    def client(self, service: str, region: str | None = None) -> Any:
        return local_client(self.settings, service, region)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
