"""Makes boto3 clients of the local AWS. The host's environment has no effect: no endpoint, certificate or proxy of its."""

import functools
import threading
from typing import Any

import boto3
from botocore.config import Config

from lab.local.settings import Settings

_making = threading.Lock()


@functools.cache
def _session() -> boto3.session.Session:
    """One session for all: it keeps the service models that it has read."""
    return boto3.session.Session()


def client(settings: Settings, service: str, region: str | None = None) -> Any:
    """Several threads may use a client, but only one may make one at a time: hence the lock."""
    with _making:
        return _session().client(  # type: ignore[call-overload]  # the stubs know services by literal names only
            service,
            region_name=region or settings.region,
            endpoint_url=settings.endpoint_url,
            verify=settings.ca_bundle,
            aws_access_key_id=settings.credentials.access_key_id,
            aws_secret_access_key=settings.credentials.secret_access_key,
            aws_session_token=settings.credentials.session_token or None,
            config=Config(proxies={}),
        )
