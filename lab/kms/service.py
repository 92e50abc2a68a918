"""The strict KMS: one entry, `StrictKms.call`. It obeys docs/internals/kms-contract.md; each behavior cites its rule there
(C-n).

    kms = StrictKms(clock, seed=7)
    answer = kms.call("CreateKey", {"Origin": "EXTERNAL"}, region="eu-central-1", account="111122223333")

Parameters and answers have botocore's Python shapes: bytes for blobs, datetime for timestamps. Refusals are KmsError. Any
number of Regions and accounts live in one StrictKms. Quotas and eventual consistency are off by default. Everything random is
drawn from `seed`. Rights are not checked (except another account's: policies.py). Protocol, faults and sockets are in
`wire.py`, `faults.py` and `server.py`. Where the contract is silent, `choices.py` lists the choices.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from lab.clock import Now
from lab.kms.call import Answer, Backstage, Call, Target, Timing
from lab.kms.errors import KmsError, validation
from lab.kms.generated import Generator
from lab.kms.keys import Family, KeyState
from lab.kms.operations.keys import material_id
from lab.kms.operations.table import OPERATIONS
from lab.kms.passing import Happening
from lab.kms.quotas import Quotas
from lab.kms.store import Store
from lab.kms.wrapping import Wrapping
from lab.wire import constraints
from lab.wire.aws_json import service_model

_REFUSALS_BY_STATE = frozenset({"NotFoundException", "KMSInvalidStateException", "DisabledException"})


@dataclass(frozen=True, slots=True)
class Lag:
    """C-101: with `probability`, a call sees the state of up to `max_seconds` ago."""

    probability: float
    max_seconds: float


@dataclass(frozen=True, slots=True)
class KeyView:
    """What the evaluation of IAM and key policies needs of a key. It is a copy."""

    arn: str
    key_id: str
    account: str
    region: str
    state: KeyState
    spec: str
    usage: str
    origin: str
    multi_region: bool
    multi_region_type: str | None  # PRIMARY, REPLICA
    policy: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...]


class StrictKms:
    def __init__(
        self,
        clock: Now,
        *,
        seed: int = 0,
        timing: Timing | None = None,
        quotas: Quotas | None = None,
        lag: Lag | None = None,
    ) -> None:
        self._clock = clock
        self._quotas = quotas
        self._lag = lag
        random = Random(seed)  # noqa: S311  # the only source of chance: runs must repeat
        self._random = random
        self._store = Store(remember_seconds=0.0 if lag is None else lag.max_seconds)
        self._backstage = Backstage(
            random=random,
            timing=timing or Timing(),
            wrapping=Wrapping(random),
            generator=Generator(random),
            material_id_key=random.randbytes(32),
        )
        self._model = service_model("kms")
        self._lock = threading.RLock()

    def call(self, operation: str, params: Mapping[str, Any], *, region: str, account: str) -> Answer:
        """One whole operation: quota, validation, key, state, effect. Raises KmsError."""
        row = OPERATIONS.get(operation)
        if row is None:
            raise KmsError("UnknownOperationException", f"The strict KMS of these tests does not know {operation}.")
        with self._lock:
            now = self._clock.now()
            if self._quotas is not None:
                self._quotas.take(operation, account, region, now)
            violations = constraints.violations(self._model.operation_model(operation).input_shape, params)
            if violations is not None:
                raise validation(violations)
            call = Call(operation, params, account, region, now, self._store, self._backstage)
            past = self._past(call)
            if past is not None and not row.changes:
                return row.run(past)
            if past is not None:
                self._refuse_as_of(past, row.run)
            answer = row.run(call)
            for family in call.touched if row.changes else ():
                self._store.record(family, now)
            return answer

    def key(self, reference: str, *, region: str, account: str) -> KeyView | None:
        """The key that a key id, ARN or alias names for a caller there; None if there is none."""
        with self._lock:
            now = self._clock.now()
            try:
                family, key = self._store.find(reference, account, region, now, by_alias=True)
            except KmsError:
                return None
            target = Target(family, key, now)
            types = {(True, False): "PRIMARY", (False, True): "REPLICA"}
            return KeyView(
                arn=key.arn,
                key_id=family.key_id,
                account=family.account,
                region=key.region,
                state=target.state,
                spec=family.spec_name,
                usage=family.usage,
                origin=family.origin,
                multi_region=family.multi_region,
                multi_region_type=types.get((target.is_primary, target.is_replica)),
                policy=key.policy,
                tags=dict(key.tags),
                aliases=tuple(
                    alias.name for alias in self._store.aliases_of(family.account, key.region, family.key_id)
                ),
            )

    def take_happenings(self) -> list[Happening]:
        """What happened by itself since the last call, in all accounts and Regions."""
        with self._lock:
            list(self._store.all_families(self._clock.now()))
            taken, self._store.happenings = self._store.happenings, []
            return taken

    def material_id(self, family: Family, encoded: bytes) -> str:
        """The KeyMaterialId that these bytes have, or would have, in a key. Only for tests: no caller can know it."""
        call = Call("", {}, family.account, family.primary_region, self._clock.now(), self._store, self._backstage)
        return material_id(call, family, encoded)

    # --------------------------------------------------------------------------------------------- eventual consistency

    def _past(self, call: Call) -> Call | None:
        """The same call on the state of a moment ago, or None. Chance decides (C-101)."""
        if self._lag is None or self._random.random() >= self._lag.probability:
            return None
        then = call.now - timedelta(seconds=self._random.uniform(0, self._lag.max_seconds))
        return replace(call, now=then, store=self._store.as_of(then), touched=[])

    @staticmethod
    def _refuse_as_of(past: Call, run: Callable[[Call], Answer]) -> None:
        """Refuses a change if the past state refuses it. Its effect on the past state is thrown away."""
        try:
            run(past)
        except KmsError as error:
            if error.code in _REFUSALS_BY_STATE:
                raise
