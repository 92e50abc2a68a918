"""HTTP between a client and a stand-in for an AWS service, without the network.

A stand-in takes a `Request` and returns a `Response`. Others carry them: `in_process.py` below botocore, `kms/server.py` over
a socket. Account and Region come from the request's signature (SigV4); the signature itself is not checked.
"""

import enum
import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"


class Request(NamedTuple):
    """Header names in lower case."""

    method: str
    path: str  # with the query, if there is one
    headers: Mapping[str, str]
    body: bytes


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Refusal(NamedTuple):
    """An error answer, not yet in any protocol. If the message is None, the body has no message member."""

    status: int
    code: str
    message: str | None


class Fault(enum.Enum):
    """The faults that can strike a call (`faults.py`)."""

    THROTTLED = "throttled"
    INTERNAL_ERROR = "internal error"
    DEPENDENCY_TIMEOUT = "dependency timeout"
    CONNECTION_CLOSED = "connection closed"
    READ_TIMEOUT = "read timeout"


FaultAnswers = Mapping[Fault, Refusal]


class AwsError(Exception):
    """A service refuses. If `message` is None, the answer has no message member."""

    def __init__(self, code: str, message: str | None = None, http_status: int = 400) -> None:
        self.code = code
        self.message = message
        self.http_status = http_status
        super().__init__(f"{code}: {message}")

    @property
    def refusal(self) -> Refusal:
        return Refusal(self.http_status, self.code, self.message)


class Caller(NamedTuple):
    account: str
    region: str


class Service(Protocol):
    """One AWS service, as far as the tests need it."""

    @property
    def name(self) -> str: ...  # as in botocore's events: "kms", "secrets-manager", "cloudformation"
    @property
    def fault_answers(self) -> FaultAnswers: ...  # the answers for a throttle or an internal error
    def handle(self, request: Request) -> Response: ...
    def operation(self, request: Request) -> str: ...  # "" if there is none
    def refuse(self, refusal: Refusal) -> Response: ...  # in the service's own protocol


_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]*)/\d{8}/(?P<region>[a-z0-9-]+)/[a-z0-9-]+/aws4_request")
_ACCOUNT = re.compile(r"\d{12}")


def caller_of(
    headers: Mapping[str, str], *, default_account: str = DEFAULT_ACCOUNT, default_region: str = DEFAULT_REGION
) -> Caller:
    """Region: from the credential scope. Account: the access key id if it has 12 digits, else the default account."""
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    if found is None:
        return Caller(default_account, default_region)
    account = found["key"] if _ACCOUNT.fullmatch(found["key"]) else default_account
    return Caller(account, found["region"])
