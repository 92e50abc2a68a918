"""One call of one operation: its account, Region, time and parameters, and the key that it names.

Operations get only this. They refuse first and then act: no operation changes anything before its last refusal.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lab.kms import states
from lab.kms.errors import KmsError, invalid_key_usage, validation, wrong_origin
from lab.kms.generated import Generator
from lab.kms.keys import EXTERNAL, Family, KeyState, RegionalKey
from lab.kms.policies import require_cross_account
from lab.kms.store import Arn, Store
from lab.kms.wrapping import Wrapping

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long KMS's background work takes, in seconds. A pair is a range to draw from."""

    rotation_seconds: tuple[float, float] = (60.0, 180.0)  # C-45
    rotation_status_seconds: float = 6.0  # C-45: OnDemandRotationStartDate was gone after 6 s
    replica_creation_seconds: tuple[float, float] = (2.0, 60.0)  # C-65
    primary_update_seconds: tuple[float, float] = (2.0, 60.0)
    import_state_lag_seconds: float = 60.0  # C-51


@dataclass(slots=True)
class Backstage:
    """What operations share besides the keys. Everything random is drawn from `random`."""

    random: Random
    timing: Timing
    wrapping: Wrapping
    generator: Generator
    material_id_key: bytes = field(repr=False)

    def draw(self, seconds: tuple[float, float]) -> timedelta:
        return timedelta(seconds=self.random.uniform(*seconds))


@dataclass(slots=True)
class Target:
    """The key that a call names, in its present state."""

    family: Family
    key: RegionalKey
    now: datetime

    @property
    def arn(self) -> str:
        return self.key.arn

    @property
    def state(self) -> KeyState:
        return self.family.state(self.key, self.now)

    @property
    def is_primary(self) -> bool:
        return self.family.multi_region and self.key.region == self.family.primary_region

    @property
    def is_replica(self) -> bool:
        return self.family.multi_region and not self.is_primary

    def require_state(self, operation: str) -> None:
        states.require(operation, self.arn, self.state)
        if self.state is KeyState.UPDATING:  # a disabled or empty key is refused while it is Updating, too
            states.require(operation, self.arn, self.family.state_at_rest(self.key))

    def require_external(self) -> None:
        """C-24."""
        if self.family.origin != EXTERNAL:
            raise wrong_origin(self.arn, self.family.origin)

    def require_usage(self, usage: str, operation: str) -> None:
        """C-86."""
        if self.family.usage != usage:
            raise invalid_key_usage(f"{self.arn} key usage is {self.family.usage} which is not valid for {operation}.")

    def require_algorithm(self, algorithm: str) -> None:
        """C-86."""
        if algorithm not in self.family.spec.algorithms[self.family.usage]:
            raise invalid_key_usage(f"Algorithm {algorithm} is incompatible with key spec {self.family.spec_name}.")


@dataclass(slots=True)
class Call:
    operation: str
    params: Mapping[str, Any]
    account: str
    region: str
    now: datetime
    store: Store
    backstage: Backstage
    touched: list[Family] = field(default_factory=list)

    def target(self, parameter: str = "KeyId", *, by_alias: bool = False, cross_account: bool = False) -> Target:
        """The key named by a parameter. C-120: most operations take no alias, and no key of another account."""
        reference = self.params[parameter]
        if reference.startswith("arn:"):
            owner = Arn.parse(reference).account
            if owner != self.account:
                self._require_access(reference, owner, by_alias=by_alias, cross_account=cross_account)
        family, key = self.store.find(reference, self.account, self.region, self.now, by_alias=by_alias)
        self.touched.append(family)
        return Target(family, key, self.now)

    def _require_access(self, reference: str, owner: str, *, by_alias: bool, cross_account: bool) -> None:
        """Another account's key: only its key policy decides, and the text is the same if the key does not exist."""
        try:
            family, key = self.store.find(reference, owner, self.region, self.now, by_alias=by_alias)
        except KmsError:
            policy = None
        else:
            policy = key.policy if cross_account and family.account == owner else None
        require_cross_account(policy, self.account, self.operation)

    def page(self, items: Sequence[Any], *, default_limit: int, max_limit: int) -> tuple[list[Any], Answer]:
        """Limit and Marker, as in every list operation. Returns the page, and the answer's members about the rest."""
        limit = self.params.get("Limit", default_limit)
        if limit > max_limit:
            raise validation(
                f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
                f"Member must have value less than or equal to {max_limit}"
            )
        start = self._start()
        page, rest = list(items[start : start + limit]), len(items) > start + limit
        if not rest:
            return page, {"Truncated": False}
        marker = base64.b64encode(f"from:{start + limit}".encode()).decode()
        return page, {"Truncated": True, "NextMarker": marker}

    def _start(self) -> int:
        marker = self.params.get("Marker")
        if marker is None:
            return 0
        try:
            word, _, number = base64.b64decode(marker, validate=True).decode().partition(":")
            if word != "from" or not (number.isascii() and number.isdigit()):
                raise ValueError(marker)
            return int(number)
        except (ValueError, binascii.Error):
            raise KmsError("InvalidMarkerException", "The marker is not valid.") from None
