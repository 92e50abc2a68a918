"""boto3 clients of the local AWS. Nothing of the host's environment has a part in them: no endpoint, certificate, or proxy."""

from typing import Any

import boto3
from botocore.config import Config

from tests.support.local.settings import Settings


def client(settings: Settings, service: str, region: str | None = None) -> Any:
    """A new client each time: one of its own for each thread that makes one."""
    return boto3.session.Session().client(  # type: ignore[call-overload]  # the stubs know services by literal names only
        service,
        region_name=region or settings.region,
        endpoint_url=settings.endpoint_url,
        verify=settings.ca_bundle,
        aws_access_key_id=settings.credentials.access_key_id,
        aws_secret_access_key=settings.credentials.secret_access_key,
        aws_session_token=settings.credentials.session_token or None,
        config=Config(proxies={}),
    )
