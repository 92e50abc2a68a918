"""Limits requests per second, per account, Region and operation, all callers together (C-100). Off by default.

A bucket holds `burst` requests and refills at the quota's rate, so short bursts pass, as observed on AWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lab.kms.errors import KmsError

#: The quotas of today's AWS, in requests a second.
PER_SECOND: Mapping[str, float] = {
    "GetParametersForImport": 1.0,
    "ImportKeyMaterial": 15.0,
    "DeleteImportedKeyMaterial": 15.0,
    "RotateKeyOnDemand": 5.0,
    "ListKeyRotations": 100.0,
    "DescribeKey": 2000.0,
    "ListKeys": 500.0,
    "ListAliases": 500.0,
    "ListResourceTags": 2000.0,
    "GetPublicKey": 2000.0,
    "GetKeyRotationStatus": 1000.0,
    "CreateKey": 5.0,
    "CreateAlias": 5.0,
    "ReplicateKey": 5.0,
    "EnableKey": 5.0,
    "DisableKey": 5.0,
    "ScheduleKeyDeletion": 15.0,
    "PutKeyPolicy": 15.0,
    "TagResource": 10.0,
}
#: Accounts from before 2025 may still have this one.
PER_SECOND_OLD_ACCOUNT: Mapping[str, float] = {**PER_SECOND, "GetParametersForImport": 0.25}

BURST_REQUESTS = 3.0
TEXT = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."


@dataclass
class Quotas:
    per_second: Mapping[str, float] = field(default_factory=lambda: PER_SECOND)
    burst_requests: float = BURST_REQUESTS
    _buckets: dict[tuple[str, str, str], tuple[float, datetime]] = field(default_factory=dict)

    def take(self, operation: str, account: str, region: str, now: datetime) -> None:
        """Raises ThrottlingException if the bucket is empty."""
        rate = self.per_second.get(operation)
        if rate is None:
            return
        size = max(rate, self.burst_requests)
        left, since = self._buckets.get((account, region, operation), (size, now))
        left = min(size, left + rate * (now - since).total_seconds())
        if left < 1:
            self._buckets[account, region, operation] = (left, now)
            raise KmsError("ThrottlingException", TEXT)
        self._buckets[account, region, operation] = (left - 1, now)
