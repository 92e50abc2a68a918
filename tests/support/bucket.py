"""CloudFormation's bucket for answers, which the function's own client reaches over TLS: fixtures for several folders."""

from collections.abc import Iterator

import pytest

from lab.certificate import Certificate
from lab.cloudformation.response_bucket import ResponseBucket


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.made_in(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def bucket(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponseBucket]:
    """CloudFormation's bucket, which the function's client trusts and reaches without a proxy."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate.ca_bundle))
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ResponseBucket(certificate.chain) as bucket:
        yield bucket
