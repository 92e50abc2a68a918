"""A KMS as strict as AWS's own where material is imported. Start at `service.py`; its rules: docs/internals/kms-contract.md."""

from lab.kms.call import Timing
from lab.kms.errors import KmsError
from lab.kms.keys import KeyState
from lab.kms.quotas import Quotas
from lab.kms.service import KeyView, Lag, StrictKms
from lab.kms.wire import KmsWire

__all__ = ["KeyState", "KeyView", "KmsError", "KmsWire", "Lag", "Quotas", "StrictKms", "Timing"]
