"""Fixtures of the tests of the custodian's tool."""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import boto3
import pytest
from botocore.config import Config
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.clock import WallClock
from lab.keys.private_keys import rsa_key
from lab.kms import KmsWire, StrictKms
from lab.kms.server import KmsServer
from lab.program import Program
from lab.wire.sessions import LOADER
from tests.support.called import Called
from tests.support.online import Online

ACCOUNT = "111122223333"
REGION = "eu-central-1"


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """Each call within this process makes its own session, which would read all of botocore's models again."""
    with mock.patch("botocore.session.create_loader", return_value=LOADER):
        yield


@pytest.fixture
def custodian(tmp_path: Path) -> Program:
    """The tool in an empty folder, with no network and no credentials; called within this process."""
    return Called(tmp_path)


@pytest.fixture
def custodian_process(tmp_path: Path) -> Program:
    """The same as a separate process."""
    return Program(tmp_path)


@pytest.fixture
def transport(tmp_path: Path) -> Path:
    """A transport key's public key in a file; the private key is `rsa_key(2048)`."""
    path = tmp_path / "transport.pem"
    public_key = rsa_key(2048).public_key()
    path.write_bytes(public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.fixture(scope="session")
def kms_url() -> Iterator[str]:
    with KmsServer(KmsWire(StrictKms(WallClock()))) as server:
        yield server.url


@pytest.fixture
def kms(kms_url):
    """The administrator's client of the strict KMS."""
    session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="x", region_name=REGION)
    return session.client("kms", endpoint_url=kms_url, config=Config(proxies={}))


@pytest.fixture
def online(tmp_path: Path, kms_url: str) -> Program:
    """The tool with credentials for the strict KMS; called within this process."""
    credentials = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": REGION}
    return Called(tmp_path, {"AWS_ENDPOINT_URL_KMS": kms_url, **credentials})


@pytest.fixture
def put_file(tmp_path: Path):
    """Writes a file that only its owner can read, like a custodian's."""

    def put(name: str, data: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        path.chmod(0o600)
        return name

    return put


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Online]:
    """AWS for put and verify, and the tool with credentials for it; called within this process."""
    with Online(tmp_path, program=Called) as online:
        yield online


@pytest.fixture
def bank_process(tmp_path: Path) -> Iterator[Online]:
    """The same, with the tool as a separate process."""
    with Online(tmp_path) as online:
        yield online
