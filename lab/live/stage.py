"""What an act gets: the account, what it may make, the deployed application, the probe, and its time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from lab.live import application, probe
from lab.live.account import Account
from lab.live.application import Application
from lab.live.made import SERVICE_TIMEOUT, Made
from lab.live.probe import Probe

LOOK_SECONDS = 2.0
LOCAL_LOOK_SECONDS = 0.1
TYPE = "Custom::ImportedKeyMaterial"


class TimeIsUp(Exception):
    """The act's own deadline is over."""


@dataclass
class Shared:
    """What is made once in a run, when the first act needs it."""

    made: Made
    _failed: dict[str, Exception] = field(default_factory=dict)

    @cached_property
    def bucket(self) -> str:
        return self.made.bucket("files")

    @cached_property
    def application(self) -> Application:
        return self._once("application", lambda: application.deploy(self.made, self.bucket))

    @cached_property
    def probe(self) -> Probe:
        return self._once("probe", lambda: probe.deploy(self.made, self.bucket, self.application.layer_arns))

    def _once[T](self, what: str, make: Callable[[], T]) -> T:
        """What failed is not tried again by the next act."""
        if what in self._failed:
            raise self._failed[what]
        try:
            return make()
        except Exception as error:
            self._failed[what] = error
            raise


@dataclass(frozen=True)
class Stage:
    """`other_region`, `other_account`: None if the caller named none. `secrets`: bytes that must not get into the record.

    `answers`: to the questions, for the record.
    """

    made: Made
    shared: Shared
    until: datetime
    other_region: str | None = None
    other_account: Account | None = None
    secrets: list[bytes] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        return self.made.account

    @property
    def probe(self) -> Probe:
        return self.shared.probe

    @property
    def application(self) -> Application:
        return self.shared.application

    def client(self, service: str, region: str | None = None) -> Any:
        return self.account.client(service, region)

    def secret_bytes(self, value: bytes) -> bytes:
        """`value`, of 12 bytes or more, which from now on must not be found in the record."""
        self.secrets.append(value)
        return value

    # ------------------------------------------------------------------------------------------------------ time

    def now(self) -> datetime:
        return self.account.now()

    def sleep(self, seconds: float) -> None:
        """Raises TimeIsUp if the act's deadline comes first."""
        if self.now() + timedelta(seconds=seconds) > self.until:
            raise TimeIsUp("the act's time is up")
        self.account.sleep(seconds)

    def wait_for[T](self, look: Callable[[], T | None], seconds: float) -> T | None:
        """What `look` returns, once it is not None; None if that does not happen in so many seconds."""
        end = self.now() + timedelta(seconds=seconds)
        while True:
            found = look()
            if found is not None or self.now() >= end:
                return found
            self.sleep(LOCAL_LOOK_SECONDS if self.account.is_local else LOOK_SECONDS)

    # ------------------------------------------------------------------------------------------------ declarations

    def material(self, key: Any, secret: str, version: str, **properties: Any) -> dict[str, Any]:
        """A Custom::ImportedKeyMaterial that the run's own application serves."""
        declared = {
            "ServiceToken": self.application.token,
            "ServiceTimeout": SERVICE_TIMEOUT,
            "KeyId": key,
            "SecretId": secret,
            "SecretVersionId": version,
            "WrappingKeySpec": "RSA_2048",
        }
        return {"Type": TYPE, "Properties": declared | properties}
