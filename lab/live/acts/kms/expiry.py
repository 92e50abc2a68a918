"""A key whose material expires: its expiry is changed in place, then it passes.

`begin` does what is quick, and sets the expiry; `look` notes what is shown; `end` says what was seen (`over_time.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from lab.keys.by_hand import FOR_EVER
from lab.keys.random_keys import random_key
from lab.live.acts.kms.by_hand import EMPTY, ENABLED, SUCCESS, ByHand, Sealer
from lab.live.verdicts import Finding, judged, not_seen

EXPIRES_IN_SECONDS: Final = 120.0
EXPIRES_IN_SECONDS_LOCAL: Final = 3.0
PATIENCE_SECONDS: Final = 150.0  # after ValidTo
SHOWN_SECONDS: Final = 10.0  # how long a changed expiry may take to be shown
SETTLES: Final = (
    "expiry-in-place",
    "valid-to-in-seconds",
    "expiry-happens",
    "expired-key-shows",
    "expired-material-again",
)


@dataclass(slots=True)
class Expiring:
    """A key whose material expires. `seconds`: from ValidTo until it was empty; negative if it was empty before."""

    kms: ByHand
    key: str = ""
    material: bytes = field(default=b"", repr=False)
    valid_to: datetime | None = None
    seconds: float | None = None
    is_over: bool = False

    def begin(self) -> Iterator[Finding]:
        """Changes the expiry in place; then the material expires in a moment."""
        stage, kms = self.kms.stage, self.kms
        self.material = stage.secret_bytes(random_key(32))
        self.key = stage.made.key("expiry")
        sealer = kms.sealer(self.key)
        kms.known(lambda: sealer.import_(self.material))
        kms.becomes(self.key, ENABLED)
        now = stage.now()
        steps: list[tuple[str, datetime | None]] = [
            ("with an expiry", now + timedelta(days=2, microseconds=987_654)),
            ("with an earlier expiry", now + timedelta(days=1, microseconds=987_654)),
            ("with a later expiry", now + timedelta(days=364, microseconds=987_654)),
            ("without expiry", None),
        ]
        wrong, not_to_second = [], []
        for what, wanted in steps:
            code = self._set(sealer, wanted)
            shown = self._shown(wanted)
            if code != SUCCESS or not _is_same_second(shown, wanted):
                wrong.append(f"{what}: {code}, and KMS shows {shown or 'no expiry'}")
            if shown is not None and shown.microsecond:
                not_to_second.append(what)
        yield judged(
            "expiry-in-place",
            "A re-import changes the expiry in place: earlier, later, none, and an expiry again",
            f"otherwise: {'; '.join(wrong) or 'none'}",
            holds=not wrong,
        )
        yield judged(
            "valid-to-in-seconds",
            "KMS cuts ValidTo to whole seconds",
            f"with parts of a second: {', '.join(not_to_second) or 'none'}",
            holds=not not_to_second,
        )
        ahead = EXPIRES_IN_SECONDS_LOCAL if stage.account.is_local else EXPIRES_IN_SECONDS
        wanted = (stage.now() + timedelta(seconds=ahead)).replace(microsecond=0)
        kms.known(lambda: sealer.import_(self.material, **_expiry(wanted)))
        self.valid_to = wanted

    def _set(self, sealer: Sealer, wanted: datetime | None) -> str:
        return self.kms.code(lambda: sealer.import_(self.material, **_expiry(wanted)))

    def _shown(self, wanted: datetime | None) -> datetime | None:
        """ValidTo of DescribeKey, once it is as wanted."""

        def read() -> datetime | None:
            shown: datetime | None = self.kms.describe(self.key).get("ValidTo")
            return shown

        return self.kms.until(read, lambda shown: _is_same_second(shown, wanted), SHOWN_SECONDS)

    def look(self) -> bool:
        """Whether there is nothing more to wait for. Before ValidTo only a state that lasts counts: KMS may show an old one."""
        if self.valid_to is None or self.is_over:
            return True
        passed = (self.kms.stage.now() - self.valid_to).total_seconds()
        if self.kms.describe(self.key)["KeyState"] != EMPTY:
            self.seconds = None
        elif self.seconds is None:
            self.seconds = round(passed, 1)
        self.is_over = passed >= (PATIENCE_SECONDS if self.seconds is None else 0)
        return self.is_over

    def end(self) -> Iterator[Finding]:
        yield judged(
            "expiry-happens",
            f"At ValidTo or within {PATIENCE_SECONDS:.0f} seconds after it, and not before, the key is PendingImport",
            f"{self.seconds} s after ValidTo" if self.seconds is not None else "the material did not expire in time",
            holds=self.seconds is not None and self.seconds >= 0,
            seconds_after_valid_to=self.seconds,
        )
        if self.seconds is None:
            yield not_seen("expired-key-shows", "the material did not expire in time")
            yield not_seen("expired-material-again", "the material did not expire in time")
            return
        metadata = self.kms.becomes(self.key, EMPTY)
        shown = sorted({"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"} & set(metadata))
        yield judged(
            "expired-key-shows",
            "After an expiry DescribeKey keeps CurrentKeyMaterialId, and drops ExpirationModel and ValidTo",
            f"it shows {', '.join(shown) or 'none of the three'}",
            holds=shown == ["CurrentKeyMaterialId"],
            shown=shown,
            import_state=[one.get("ImportState") for one in self.kms.known(lambda: self.kms.materials(self.key))],
        )
        code = self.kms.code(lambda: self.kms.import_(self.key, self.material))
        state = self.kms.becomes(self.key, ENABLED)["KeyState"]
        yield judged(
            "expired-material-again",
            "After an expiry KMS takes the same material again, and the key is Enabled",
            f"the import: {code}; the key is {state}",
            holds=(code, state) == (SUCCESS, ENABLED),
            code=code,
            state=state,
        )


def _expiry(valid_to: datetime | None) -> dict[str, Any]:
    if valid_to is None:
        return {"ExpirationModel": FOR_EVER}
    return {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to}


def _is_same_second(shown: datetime | None, wanted: datetime | None) -> bool:
    if shown is None or wanted is None:
        return shown is wanted
    return int(shown.timestamp()) == int(wanted.timestamp())
