"""Rule 3: every check comes before the first import, because the first import is permanent.

The checks read and refuse; none changes anything. They report all faults at once: after a fault in one place, the checks go
on wherever they still can (docs/internals/design.md, rule 3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from imported_key_material.aws.held_materials import Expiry
from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.secret import FoundSecret, SecretReader, Version
from imported_key_material.aws.secret_errors import place
from imported_key_material.errors import CannotHappen, Fault, Faults, Refused
from imported_key_material.key_id import Home
from imported_key_material.lifecycle.declared_expiry import asked_expiry
from imported_key_material.lifecycle.secret_material import read_all
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import KeySpec, Kind, choose_wrapping, key_spec
from imported_key_material.material.material_check import CheckedMaterial
from imported_key_material.material.proof import Proof
from imported_key_material.properties import NewMaterial, Properties

# The states in which a key takes no import: the problem and the remedy. (For a key in Creating or Updating we wait.)
_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "Disabled": (
        "The key is Disabled, and an import would enable it; somebody disabled it for a reason.",
        "To import all the same, enable it first: aws kms enable-key.",
    ),
    "PendingDeletion": (
        "The key is scheduled for deletion.",
        "Cancel that with aws kms cancel-key-deletion, or use another key.",
    ),
    "PendingReplicaDeletion": (
        "The key is scheduled for deletion.",
        "Cancel that with aws kms cancel-key-deletion, or use another key.",
    ),
    "Unavailable": ("The key's custom key store is not connected.", "Use a key with Origin EXTERNAL."),
}

# Properties that only some keys can have: the rule, and the remedy for replicas.
_SYMMETRIC_ONLY: Final[Mapping[str, str]] = {
    "KeyMaterialDescription": "KMS keeps a description of the material for symmetric encryption keys only",
    "NewMaterial": "KMS takes new material for symmetric encryption keys only",
    "PreviousSecretVersionIds": "KMS keeps earlier material of symmetric encryption keys only",
}
_PRIMARY_ONLY: Final[Mapping[str, tuple[str, str]]] = {
    "KeyMaterialDescription": (
        "KMS takes the description on the primary key only",
        "Take it out here; KMS copies it from the primary.",
    ),
    "NewMaterial": (
        "KMS takes new material on the primary key only",
        "Stage it in the primary's Region, and take NewMaterial out here: the resource then imports the same bytes.",
    ),
}


# These properties don't affect where the material is and how it is read. Any other property may: an unknown property may be a
# misspelt SecretWrapping, and we would judge wrapped bytes as the material itself.
NOT_FOR_READING: Final = frozenset(
    {
        *("ServiceToken", "ServiceTimeout", "KeyId", "WrappingAlgorithm", "WrappingKeySpec", "ValidTo", "ValidForDays"),
        *("KeyMaterialDescription", "PreviousSecretVersionIds", "NewMaterial", "ExpectedCheckValue", "Trigger"),
    }
)


@dataclass(frozen=True, slots=True)
class SeenKey:
    """The declared key, as KMS shows it.

    `tags`: None if they could not be read, which is already a fault. `wants_earlier`: the key lacks a material, or the expiry
    of an earlier material must change, so that PreviousSecretVersionIds are read, too.
    """

    view: KeyView
    tags: Mapping[str, str] | None = field(repr=False)
    wants_earlier: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """What passed every check. `found`, `versions`: the secret, and its versions to import, the current version first.

    `material`: of the current version, not wiped yet; None if it is read only when the import parameters are there. `proof`,
    `secret_version_id`: the material's proof, and its version of the secret; None and "" if it was not read.
    """

    view: KeyView
    spec: KeySpec
    found: FoundSecret
    versions: tuple[Version, ...]
    material: CheckedMaterial | None = field(repr=False)
    proof: Proof | None
    secret_version_id: str
    place: str  # as `Source.place`, for the errors of `refusals.py`
    wrapping_algorithm: str
    expiry: Expiry

    def wipe(self) -> None:
        if self.material is not None:
            self.material.wipe()


def require_at_home(key_id: str, home: Home) -> None:
    """Raises Refused if KeyId is the ARN of a key in another account or Region."""
    there = Home.of_named(key_id, home)
    for what, declared, own in (("account", there.account, home.account), ("Region", there.region, home.region)):
        if declared != own:
            raise Refused(
                Fault(
                    "KeyId",
                    f"The key is in another {what} ({declared}), and the function imports only into keys of its own {what} "
                    f"({own}).",
                    "Deploy the application there, and declare the resource in a stack of that account and Region.",
                )
            )


def prepare(
    properties: Properties,
    key: SeenKey | None,
    reader: SecretReader,
    now: datetime,
    faults: Faults,
    *,
    reads_secret: bool,
) -> Prepared:
    """Raises Refused with `faults` (of the properties and the key) and all faults that are found here.

    `key`: None if KMS did not show it, which is already a fault. `reads_secret`: False leaves the checks of the material to
    `sealing.py`. That is for a request that has waited long: its material is read when the import parameters are there.
    """
    spec = _check_key(key, properties, reader, faults) if key else None
    with faults.collected():
        expiry = asked_expiry(properties, now)
    found: FoundSecret | None = None
    if properties.secret_id:
        with faults.collected():
            found = reader.find(properties)
    earlier = properties.previous_secret_version_ids if key and key.wants_earlier else ()
    versions = (Version(), *(Version(id_, entry) for entry, id_ in enumerate(earlier)))
    read = None
    # Without a key spec we could not check the material; with other faults we might read it in the wrong way.
    if reads_secret and found is not None and spec is not None and faults.only_about(NOT_FOR_READING):
        usable = replace(properties, expected_check_value=None) if faults.about("ExpectedCheckValue") else properties
        read = read_all(usable, found, versions, reader, spec, faults)
    if spec is not None:
        with faults.collected():
            algorithm = choose_wrapping(
                spec,
                algorithm=properties.wrapping_algorithm,
                wrapping_key_spec=properties.wrapping_key_spec,
                size_bytes=spec.most_bytes,
            )
    if faults and read is not None:
        read.material.wipe()
    faults.raise_if_any()
    if key is None or spec is None or found is None:
        raise CannotHappen("There is no key, no key spec or no secret, and no fault.")
    if read is None:
        return Prepared(key.view, spec, found, versions, None, None, "", place(found.name), algorithm, expiry)
    kept = None if earlier else read.material  # of several, `read_all` has wiped each
    return Prepared(key.view, spec, found, versions, kept, read.proof, read.version_id, read.place, algorithm, expiry)


def _check_key(key: SeenKey, properties: Properties, reader: SecretReader, faults: Faults) -> KeySpec | None:
    """Adds the faults of the key. Returns its spec; None if a key of that spec takes no imported material."""
    view = key.view
    if view.origin != "EXTERNAL":
        faults.add(
            "KeyId",
            f"The key's Origin is {view.origin}, and only a key with Origin EXTERNAL takes imported material.",
            "Make a new key with Origin: EXTERNAL; the origin of a key can't be changed.",
        )
    with faults.collected():
        require_importable(view)
    if key.tags is not None:
        with faults.collected():
            reader.consent_tags.require_in(key.tags, where="KeyId", what="the KMS key")
    spec: KeySpec | None = None
    with faults.collected():
        spec = key_spec(view.spec, partition=reader.home.partition)
        _check_for_kind(properties, view, spec, faults)
    if spec is not None and properties.expected_check_value is not None:
        with faults.collected():
            check_value.check_expected_form(properties.expected_check_value, spec)
    return spec


def require_importable(view: KeyView) -> None:
    """Raises Refused if the key's state does not allow an import (rule 7 and others)."""
    if view.state in _STATES:
        raise Refused(Fault("KeyId", *_STATES[view.state]))


def _check_for_kind(properties: Properties, view: KeyView, spec: KeySpec, faults: Faults) -> None:
    """Three properties are only for symmetric encryption keys, and two of them only for primary keys."""
    declared = {
        "KeyMaterialDescription": properties.key_material_description is not None,
        "NewMaterial": properties.new_material is not NewMaterial.REFUSE,
        "PreviousSecretVersionIds": bool(properties.previous_secret_version_ids),
    }
    for where in (name for name, is_declared in declared.items() if is_declared):
        if spec.kind is not Kind.SYMMETRIC:
            faults.add(where, f"{_SYMMETRIC_ONLY[where]}, and this is {view.spec}.", "Take it out.")
        elif view.is_replica and where in _PRIMARY_ONLY:
            rule, remedy = _PRIMARY_ONLY[where]
            faults.add(where, f"The key is a multi-Region replica, and {rule}.", remedy)
