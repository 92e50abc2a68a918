"""A KMS as strict as AWS's own where material is imported. Start at `service.py`; its rules: docs/internals/kms-contract.md."""

from tests.support.kms.call import Timing
from tests.support.kms.errors import KmsError
from tests.support.kms.keys import KeyState
from tests.support.kms.quotas import Quotas
from tests.support.kms.service import KeyView, Lag, StrictKms
from tests.support.kms.wire import KmsWire

__all__ = ["KeyState", "KeyView", "KmsError", "KmsWire", "Lag", "Quotas", "StrictKms", "Timing"]
