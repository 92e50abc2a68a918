"""The names of a KMS key: its bare id, its ARN, and the physical id of the resource (docs/internals/design.md, rule 1).

Only this module takes the ARN of a key apart, or puts it together. A physical id has one of three forms:

    owned         the key's ARN: this resource imported the material. A Delete removes the material (rule 2)
    adopted       the key's bare id: the key already held material. A Delete touches nothing
    not imported  `not-imported:...`: a Create failed before its import. A Delete touches nothing

The first two name the key, whatever happens to its material. `job.py` decides which of them a resource gets, by what the
key holds.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_ANY_ARN: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:")  # its beginning
_OWNED: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,64}")
_NAMED: Final = re.compile(
    r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/)?(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    re.ASCII,
)
_DECLARED: Final = re.compile(r"(arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/)?(mrk-)?[0-9a-f-]{32,36}")


class Home(NamedTuple):
    """Partition, Region and account. Everything that the function uses is in its own Home; only a secret may be elsewhere."""

    partition: str
    region: str
    account: str

    @classmethod
    def of_arn(cls, arn: str) -> "Home":
        """Where an ARN says that its resource is: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`."""
        parts = arn.split(":")
        return cls(partition=parts[1], region=parts[3], account=parts[4])

    @classmethod
    def of_named(cls, name: str, home: "Home") -> "Home":
        """Where a key or an alias is: where its ARN says, or in `home` if the name is no ARN."""
        return cls.of_arn(name) if _ANY_ARN.match(name) else home


@dataclass(frozen=True, slots=True)
class KeyId:
    """The name of one key. `uuid`: the bare id, which begins with `mrk-` if the key is a multi-Region key."""

    uuid: str = field(repr=False)  # may come from a property, and a user may put anything there
    home: Home

    @classmethod
    def parse(cls, name: str, home: Home) -> "KeyId":
        """The key in `home` that a bare id or an ARN names. `Home.of_named` says whether the ARN belongs to another Home.

        Takes any text, since a physical id may be any text. Text that names no key becomes an id that KMS does not know.
        """
        return cls(name.rsplit("/", 1)[-1], home)

    @classmethod
    def of_arn(cls, arn: str) -> "KeyId":
        """`arn`: a key's ARN, as KMS gives it."""
        return cls.parse(arn, Home.of_arn(arn))

    @property
    def arn(self) -> str:
        home = self.home
        return f"arn:{home.partition}:kms:{home.region}:{home.account}:key/{self.uuid}"

    @property
    def owned_id(self) -> str:
        """The physical id of a resource that imported the material."""
        return self.arn

    @property
    def adopted_id(self) -> str:
        """The physical id of a resource whose key already held material."""
        return self.uuid

    @property
    def physical_ids(self) -> tuple[str, str]:
        """Both ids of a resource that holds the key, the owned one first."""
        return self.owned_id, self.adopted_id


def owned_key(physical_id: str, home: Home) -> KeyId | None:
    """The key in `home` whose owned id this is. None for every other id: no resource owns material under it (rule 2)."""
    key = KeyId.of_arn(physical_id) if _OWNED.fullmatch(physical_id) else None
    return key if key is not None and key.home == home else None


def named_key(name: str, home: Home) -> KeyId | None:
    """The key in `home` that this text names, by its bare id or its ARN: what a resource holds under either id (rule 1).

    None for every other text: a name that no key can have, an ARN of another Home.
    """
    if not _NAMED.fullmatch(name) or Home.of_named(name, home) != home:
        return None
    return KeyId.parse(name, home)


def not_imported_id(logical_id: str, request_id: str) -> str:
    """The physical id of a Create that failed before its import."""
    # 255 characters of logical id and 128 of request id: far below CloudFormation's limit of 1,024 bytes.
    return f"not-imported:{logical_id}:{request_id}"


def for_log(declared: object) -> str:
    """A declared KeyId; "" if it does not look like a KeyId. A user may put anything into a property, even plaintext."""
    return declared if isinstance(declared, str) and _DECLARED.fullmatch(declared) else ""
