"""Stores keys and aliases, finds them by a caller's reference, and shows them as they were a moment ago.

Each kind of reference has its own sentence for "not found" (C-84). With `remember_seconds`, the state before and after every
change is kept for so long, so that a read can see an old state (C-101).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lab.kms.errors import KmsError, not_found
from lab.kms.keys import KEY_ID, Family, RegionalKey
from lab.kms.passing import Happening, settle


@dataclass(frozen=True, slots=True)
class Alias:
    name: str
    account: str
    region: str
    key_id: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Arn:
    partition: str
    region: str
    account: str
    kind: str  # "key" or "alias"
    name: str  # the key id, or the alias with its prefix

    @classmethod
    def parse(cls, text: str) -> "Arn":
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[2] != "kms" or "/" not in parts[5]:
            raise KmsError("InvalidArnException", f"Invalid arn {text}")
        kind, _, name = parts[5].partition("/")
        return cls(parts[1], parts[3], parts[4], kind, f"alias/{name}" if kind == "alias" else name)


def partition_of(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def key_arn(region: str, account: str, key_id: str) -> str:
    return f"arn:{partition_of(region)}:kms:{region}:{account}:key/{key_id}"


def alias_arn(region: str, account: str, name: str) -> str:
    return f"arn:{partition_of(region)}:kms:{region}:{account}:{name}"


class Store:
    def __init__(self, remember_seconds: float = 0.0) -> None:
        self.families: dict[str, Family] = {}
        self.aliases: dict[tuple[str, str, str], Alias] = {}
        self.happenings: list[Happening] = []  # since somebody took them
        self._remember = timedelta(seconds=remember_seconds)
        self._history: dict[str, list[tuple[datetime, Family]]] = {}

    # ------------------------------------------------------------------------------------------------------- finding

    def find(
        self, reference: str, account: str, region: str, now: datetime, *, by_alias: bool
    ) -> tuple[Family, RegionalKey]:
        """The key that `reference` names: a key id or key ARN, or with `by_alias` also an alias name or alias ARN."""
        owner, key_id = self._resolve(reference, account, region, by_alias=by_alias)
        family = self.family(key_id, now)
        key = family.keys.get(region) if family is not None and family.account == owner else None
        if family is None or key is None:
            raise not_found(f"Key '{key_arn(region, owner, key_id)}' does not exist")
        return family, key

    def _resolve(self, reference: str, account: str, region: str, *, by_alias: bool) -> tuple[str, str]:
        name = reference
        if reference.startswith("arn:"):
            arn = Arn.parse(reference)
            if arn.partition != partition_of(region):
                raise KmsError("InvalidArnException", f"Invalid arn {reference}")
            if arn.region != region:
                raise not_found(f"Invalid arn {arn.region}")
            account, name = arn.account, arn.name
        if name.startswith("alias/") and by_alias:
            alias = self.aliases.get((account, region, name))
            if alias is None:
                raise not_found(f"Alias {alias_arn(region, account, name)} is not found.")
            return account, alias.key_id
        if not KEY_ID.fullmatch(name):
            raise not_found(f"Invalid keyId '{reference}'")
        return account, name

    def family(self, key_id: str, now: datetime) -> Family | None:
        """One key, brought up to `now`."""
        family = self.families.get(key_id)
        if family is None:
            return None
        had = set(family.keys)
        self.happenings.extend(settle(family, now))
        for region in had - set(family.keys):
            self._drop_aliases(family, region)
        if not family.keys:
            del self.families[key_id]
            return None
        return family

    def all_families(self, now: datetime) -> Iterator[Family]:
        for key_id in list(self.families):
            family = self.family(key_id, now)
            if family is not None:
                yield family

    def aliases_of(self, account: str, region: str, key_id: str | None = None) -> list[Alias]:
        return [
            alias
            for (owner, where, _), alias in self.aliases.items()
            if (owner, where) == (account, region) and key_id in (None, alias.key_id)
        ]

    def _drop_aliases(self, family: Family, region: str) -> None:
        for alias in self.aliases_of(family.account, region, family.key_id):
            del self.aliases[family.account, region, alias.name]

    # ------------------------------------------------------------------------------------------------- as it was before

    def record(self, family: Family, now: datetime) -> None:
        """Keeps the state of `family` after a change at `now`."""
        if not self._remember:
            return
        history = self._history.setdefault(family.key_id, [])
        history.append((now, family.copy()))
        horizon = now - self._remember
        while len(history) > 1 and history[1][0] <= horizon:
            history.pop(0)

    def as_of(self, moment: datetime) -> "Store":
        """A store of copies, with the state at `moment`. Changes in it change nothing here."""
        past = Store()
        past.aliases = dict(self.aliases)
        for key_id, history in self._history.items():
            known = [family for at, family in history if at <= moment]
            if known and key_id in self.families:
                past.families[key_id] = known[-1].copy()
        return past
