"""What the tests of the strict KMS share: one KMS, one clock, boto3 clients of any Region and account, and assertions.

    with bench.refuses("NotFoundException", "Invalid keyId 'x'"):
        bench.kms.describe_key(KeyId="x")

`refuses` compares the whole sentence, and checks that nothing in the KMS has changed: half a failure is the worst.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.clock import VirtualClock
from lab.keys.by_hand import import_material
from lab.kms import KmsWire, Lag, Quotas, StrictKms, Timing
from lab.kms.passing import settle
from lab.wire.faults import Faults
from lab.wire.in_process import InProcessAws

ACCOUNT, OTHER_ACCOUNT = "111122223333", "999988887777"
REGION, OTHER_REGION, THIRD_REGION = "eu-central-1", "eu-west-1", "us-west-2"
ROTATION_SECONDS, STATUS_SECONDS, CREATING_SECONDS, LAG_SECONDS = 90.0, 6.0, 30.0, 60.0
TIMING = Timing(
    rotation_seconds=(ROTATION_SECONDS, ROTATION_SECONDS),
    rotation_status_seconds=STATUS_SECONDS,
    replica_creation_seconds=(CREATING_SECONDS, CREATING_SECONDS),
    primary_update_seconds=(CREATING_SECONDS, CREATING_SECONDS),
    import_state_lag_seconds=LAG_SECONDS,
)
DAY_SECONDS = 86_400
_NO_RETRIES = Config(retries={"total_max_attempts": 1})
_USAGES = {"SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT", "HMAC": "GENERATE_VERIFY_MAC"}


class Bench:
    def __init__(self, *, quotas: Quotas | None = None, lag: Lag | None = None, seed: int = 0) -> None:
        self.clock = VirtualClock(seed=seed)
        self.strict = StrictKms(self.clock, seed=seed, timing=TIMING, quotas=quotas, lag=lag)
        self.wire = KmsWire(self.strict)
        self.faults = Faults()
        self.aws = InProcessAws(self.clock, [self.wire], faults=self.faults)
        self.kms = self.client()

    def __enter__(self) -> Self:
        self.aws.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.aws.__exit__()
        self.aws.close()

    def client(self, region: str = REGION, account: str = ACCOUNT, *, retries: bool = True) -> Any:
        return self.aws.client("kms", region=region, account=account, config=None if retries else _NO_RETRIES)

    # ---------------------------------------------------------------------------------------------------------- keys

    def key(self, spec: str = "SYMMETRIC_DEFAULT", usage: str | None = None, **more: Any) -> str:
        """The ARN of a new key without material."""
        usage = usage or _USAGES.get(spec.partition("_")[0], _USAGES.get(spec, "SIGN_VERIFY"))
        parameters = {"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage} | more
        arn: str = self.kms.create_key(**parameters)["KeyMetadata"]["Arn"]
        return arn

    def filled_key(self, material: bytes = bytes(range(32)), spec: str = "SYMMETRIC_DEFAULT", **more: Any) -> str:
        arn = self.key(spec, **more)
        self.put(arn, material)
        return arn

    def put(self, key: str, material: bytes, *, kms: Any = None, **more: Any) -> Any:
        """Imports, without expiry unless `more` says otherwise."""
        return import_material(kms or self.kms, key, material, **more)

    def stage(self, key: str, material: bytes, **more: Any) -> str:
        """Imports new material, and gives its id."""
        id_: str = self.put(key, material, ImportType="NEW_KEY_MATERIAL", **more)["KeyMaterialId"]
        return id_

    def rotate(self, key: str) -> None:
        """RotateKeyOnDemand; then waits until the rotation is complete."""
        self.kms.rotate_key_on_demand(KeyId=key)
        self.clock.advance(ROTATION_SECONDS)

    def replica(self, key: str, region: str = OTHER_REGION) -> tuple[str, Any]:
        """A replica that is past Creating: its ARN, and a client of its Region."""
        arn: str = self.kms.replicate_key(KeyId=key, ReplicaRegion=region)["ReplicaKeyMetadata"]["Arn"]
        self.clock.advance(CREATING_SECONDS)
        return arn, self.client(region)

    # ----------------------------------------------------------------------------------------------------- looking on

    def metadata(self, key: str, kms: Any = None) -> dict[str, Any]:
        metadata: dict[str, Any] = (kms or self.kms).describe_key(KeyId=key)["KeyMetadata"]
        return metadata

    def state(self, key: str, kms: Any = None) -> str:
        return str(self.metadata(key, kms)["KeyState"])

    def materials(self, key: str, kms: Any = None) -> list[tuple[str, str]]:
        """Each material's state and import state, the oldest first."""
        return [(one["KeyMaterialState"], one["ImportState"]) for one in self.rotations(key, kms)]

    def rotations(self, key: str, kms: Any = None) -> list[dict[str, Any]]:
        answer = (kms or self.kms).list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
        rotations: list[dict[str, Any]] = answer["Rotations"]
        return rotations

    def other_bytes(self, key: str, named: str = "") -> str:
        """C-31's sentence. `named`: the KeyMaterialId that was asked for; without it the current material is expected."""
        current = self.strict._store.families[key.rpartition("/")[2]].current  # noqa: SLF001  # not shown of HMAC keys
        expected = named or (current.id if current else "")
        return f"Imported key material does not have the expected identifier ({expected})."

    @contextmanager
    def refuses(self, code: str, message: str) -> Iterator[None]:
        """KMS answers with this code and this whole sentence ("": no message member), and nothing has changed."""
        before = self._everything()
        with pytest.raises(ClientError) as caught:
            yield
        error = caught.value.response["Error"]
        assert (error["Code"], error["Message"]) == (code, message)  # noqa: S101  # it is an assertion of tests
        assert self._everything() == before  # noqa: S101  # the same

    def _everything(self) -> Any:
        store = self.strict._store  # noqa: SLF001  # what must not be reached from outside is compared here
        families = {id_: family.copy() for id_, family in store.families.items()}
        for family in families.values():
            settle(family, self.clock.now())
        alive = {id_: family for id_, family in families.items() if family.keys}
        return alive, {place: alias for place, alias in store.aliases.items() if alias.key_id in alive}
