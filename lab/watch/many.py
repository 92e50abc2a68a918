"""The watch over thousands of keys, in virtual time, with KMS's quotas: how many calls, how long, how much memory.

    python -m lab.watch.many 10000 0.8     10,000 keys, while others use 80% of the quota of ListKeyRotations

Prints one JSON object. The clients call the stand-ins without HTTP and botocore, which would take minutes of processor time;
botocore's own retries are missing, so each throttle is waited out by the watch. Each call takes `CALL_SECONDS`: some
milliseconds to KMS in the same Region, and the processor time of a small function. Half of the keys were rotated once, all are
declared by stacks with `KEYS_IN_A_STACK` keys each, and each has an alias. The memory is that of the whole process, with the
stand-ins and their keys in it.
"""

import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import ClientError

from imported_key_material.watch.calls import Clients
from imported_key_material.watch.findings import Finding
from imported_key_material.watch.run import Settings, Watch
from lab.awslambda.invocation import Context, FieldsInText
from lab.bench.process import peak_megabytes
from lab.clock import VirtualClock
from lab.cloudformation.stack_reads import CloudFormation
from lab.kms.errors import KmsError
from lab.kms.keys import Holding, Material, MaterialState
from lab.kms.material import Secret
from lab.kms.quotas import PER_SECOND, Quotas
from lab.kms.service import StrictKms
from lab.kms.store import Alias
from lab.watch.playing import EXPORT, TIMEOUT_SECONDS, TOPIC_ARN, WATCH_ARN, scheduled
from lab.wire.transport import AwsError, Caller
from lab.world import ACCOUNT, REGION, TYPE

CALL_SECONDS: Final = 0.015
KEYS_IN_A_STACK: Final = 20
EXPIRING_ONE_IN: Final = 1_000
_KMS: Final = ("ListKeys", "ListAliases", "DescribeKey", "ListResourceTags", "ListKeyRotations")
_CLOUDFORMATION: Final = ("ListImports", "ListStackResources")


@dataclass
class Many:
    """`others`: the share of ListKeyRotations' quota that other callers use."""

    keys: int
    others: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    messages: list[Mapping[str, Any]] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        left = PER_SECOND["ListKeyRotations"] * (1 - self.others)
        self.kms = StrictKms(self.clock, quotas=Quotas(per_second={**PER_SECOND, "ListKeyRotations": left}))
        self.cloudformation = CloudFormation(self.clock)
        self._make()

    def _make(self) -> None:
        """Straight into the stores: to import each material would take a minute."""
        kms = StrictKms(self.clock)
        kms._store = self.kms._store  # noqa: SLF001  # a door without quotas into the same store
        for number in range(self.keys):
            if number % KEYS_IN_A_STACK == 0:
                name = f"stack-{number // KEYS_IN_A_STACK}"
                stack = self.cloudformation.stack(name, region=REGION, account=ACCOUNT, status="CREATE_COMPLETE")
                stack.imports.add(EXPORT)
            tags = [{"TagKey": "imported-key-material", "TagValue": stack.name}]
            made = kms.call("CreateKey", {"Origin": "EXTERNAL", "Tags": tags}, region=REGION, account=ACCOUNT)
            arn, key_id = made["KeyMetadata"]["Arn"], made["KeyMetadata"]["KeyId"]
            self._fill(key_id, number)
            place = (ACCOUNT, REGION, f"alias/{number}")
            now = self.clock.now()
            self.kms._store.aliases[place] = Alias(place[2], ACCOUNT, REGION, key_id, now, now)  # noqa: SLF001  # as above
            stack.set(f"Material{number}", "CREATE_COMPLETE", now, type=TYPE, physical_id=arn)

    def _fill(self, key_id: str, number: int) -> None:
        family = self.kms._store.families[key_id]  # noqa: SLF001  # as above
        ends_at = self.clock.now() + timedelta(days=3 if number % EXPIRING_ONE_IN == 0 else 365)
        states = [MaterialState.NON_CURRENT, MaterialState.CURRENT] if number % 2 else [MaterialState.CURRENT]
        for nth, state in enumerate(states):
            id_ = f"{2 * number + nth:064x}"
            family.put(Material(id_, state))
            family.keys[REGION].holdings[id_] = Holding(Secret(bytes(32)), ends_at)

    def run(self) -> dict[str, Any]:
        clients: Any = [
            _Client({xform_name(name): self._kms(name) for name in _KMS}),
            _Client({xform_name(name): self._cloudformation(name) for name in _CLOUDFORMATION}),
            _Client({"publish": self._publish}),
        ]
        watch = Watch(
            Clients(*clients),
            Settings(TOPIC_ARN, 30, EXPORT),
            self.clock,
            FieldsInText(logging.getLogger("lab.watch.many")),
            lambda _estate, found, _now: self.found.extend(found),
        )
        started = self.clock.now()
        watch(scheduled(started), Context(self.clock, TIMEOUT_SECONDS, WATCH_ARN))
        return {
            "keys": self.keys,
            "calls": dict(self.calls),
            "calls_a_key": sum(self.calls.values()) / self.keys,
            "minutes": (self.clock.now() - started).total_seconds() / 60,
            "findings": len(self.found),
            "messages": len(self.messages),
            "peak_megabytes": peak_megabytes(os.getpid()),
        }

    def _count(self, name: str) -> None:
        self.calls[name] += 1
        self.clock.sleep(CALL_SECONDS)

    def _kms(self, name: str) -> Callable[..., Mapping[str, Any]]:
        def call(**parameters: object) -> Mapping[str, Any]:
            self._count(name)
            try:
                return self.kms.call(name, parameters, region=REGION, account=ACCOUNT)
            except KmsError as error:
                raise _refused(error.code, name) from None

        return call

    def _cloudformation(self, name: str) -> Callable[..., Mapping[str, Any]]:
        run = getattr(self.cloudformation, f"_{xform_name(name)}")

        def call(**parameters: str) -> Mapping[str, Any]:
            self._count(name)
            try:
                answer: Mapping[str, Any] = run(parameters, Caller(ACCOUNT, REGION))
            except AwsError as error:
                raise _refused(error.code, name) from None
            return answer

        return call

    def _publish(self, **parameters: object) -> Mapping[str, Any]:
        self._count("Publish")
        self.messages.append(parameters)
        return {}


class _Client:
    def __init__(self, methods: Mapping[str, Callable[..., Mapping[str, Any]]]) -> None:
        vars(self).update(methods)


def _refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)


def main() -> None:
    keys, others = int(sys.argv[1]), float(sys.argv[2])
    sys.stdout.write(f"{json.dumps(Many(keys, others).run())}\n")


if __name__ == "__main__":
    main()
