"""One run of a command that talks to AWS: its calls with their ids in CloudTrail, who made them and when.

An auditor compares these with CloudTrail. The time of AWS's own answer stands beside this machine's time.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, Final, TypeVar

from imported_key_material.aws import kms_pages
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.meanings import DENIED
from imported_key_material.errors import ServiceRefused
from key_custodian import aws
from key_custodian.aws import Connection

_PAGES_MAX: Final = 100  # a key has at most 50 tags and about 26 materials: a longer list is not from AWS

Answer = Mapping[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Who:
    """GetCallerIdentity's answer, and its time. `aws_time` is "" where AWS gave none. Times: ISO 8601, UTC, whole seconds."""

    account: str
    arn: str
    time: str
    aws_time: str


@dataclass(slots=True)
class Session:
    """Clients are made on demand. `requests` has every call that AWS answered."""

    connection: Connection
    requests: list[dict[str, str]] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def call(self, operation: str, *, where: str, **parameters: object) -> Answer:
        """`operation`: "kms:DescribeKey"; `where`: the option that needs it. Raises ServiceRefused."""
        service, name = operation.split(":")
        method = getattr(self._client(service), re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
        try:
            answer: Answer = aws.call(operation, lambda: method(**parameters), where=where)
        except aws.CallRefused as refused:
            self.requests.append({"operation": operation, "request_id": refused.request_id, "refused": refused.code})
            raise
        self.requests.append({"operation": operation, "request_id": aws.request_id(answer)})
        return answer

    def pages(self, operation: str, *, where: str, **parameters: object) -> list[Answer]:
        """All pages of one of KMS's lists."""

        def page(marker: Answer) -> Answer:
            return self.call(operation, where=where, **parameters, **marker)

        return list(islice(kms_pages.of(page), _PAGES_MAX))

    def key(self, key_id: str, *, where: str) -> KeyView:
        return KeyView.of_metadata(self.call("kms:DescribeKey", where=where, KeyId=key_id)["KeyMetadata"])

    def who(self) -> Who:
        """This call needs no permission."""
        answer = self.call("sts:GetCallerIdentity", where="--profile")
        return Who(
            account=answer["Account"],
            arn=answer["Arn"],
            time=timestamp(datetime.now(UTC)),
            aws_time=_timestamp_of(aws.date(answer)),
        )

    def region(self) -> str:
        return str(self._client("sts").meta.region_name)

    def not_aws(self) -> dict[str, str]:
        """The services that were asked at another address than AWS's (AWS_ENDPOINT_URL): service -> address."""
        return {service: address for service in self._clients if (address := self.address(service))}

    def address(self, service: str) -> str:
        """The address of the service, if it is not AWS's; else ""."""
        return aws.other_address(self._client(service), service)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.connection.client(service)
        return self._clients[service]


def if_allowed(ask: Callable[[], Result]) -> Result | None:
    """Returns None if these credentials have no permission. For facts that are useful but not required."""
    try:
        return ask()
    except ServiceRefused as refused:
        if refused.code not in DENIED:
            raise
    return None


def _timestamp_of(date: str) -> str:
    """From an HTTP date; "" if it is not one."""
    try:
        return timestamp(parsedate_to_datetime(date))
    except (ValueError, OverflowError):
        return ""


def timestamp(moment: datetime) -> str:
    """ISO 8601, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
