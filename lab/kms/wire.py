"""The KMS protocol, JSON 1.1 with `X-Amz-Target: TrentService.<operation>`, around a StrictKms."""

from collections.abc import Mapping
from typing import Any

from lab.kms.operations.table import OPERATIONS
from lab.kms.quotas import TEXT as THROTTLED_TEXT
from lab.kms.service import StrictKms
from lab.wire.json_service import JsonApi, JsonService
from lab.wire.transport import DEFAULT_ACCOUNT, DEFAULT_REGION, Caller, Fault, FaultAnswers, Refusal

#: C-100, C-102.
FAULT_ANSWERS: FaultAnswers = {
    Fault.THROTTLED: Refusal(400, "ThrottlingException", THROTTLED_TEXT),
    Fault.INTERNAL_ERROR: Refusal(500, "KMSInternalException", "An internal error occurred."),
    Fault.DEPENDENCY_TIMEOUT: Refusal(500, "DependencyTimeoutException", "The system timed out."),
}


API = JsonApi("kms", "kms", "TrentService", OPERATIONS, FAULT_ANSWERS)


class KmsWire(JsonService):
    """`handle(Request) -> Response`."""

    def __init__(
        self, kms: StrictKms, *, default_account: str = DEFAULT_ACCOUNT, default_region: str = DEFAULT_REGION
    ) -> None:
        self.kms = kms
        super().__init__(API, self._call, default_account=default_account, default_region=default_region)

    def _call(self, operation: str, params: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        return self.kms.call(operation, params, region=caller.region, account=caller.account)
