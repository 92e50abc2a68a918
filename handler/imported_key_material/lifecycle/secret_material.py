"""Turns a version of the secret into checked material. This is plaintext until it is wiped.

After the wipe only the material's proof is kept, which is not secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from imported_key_material.aws.secret import FoundSecret, SecretReader, Version
from imported_key_material.errors import Faults, found_in
from imported_key_material.material import material_check
from imported_key_material.material.key_specs import KeySpec
from imported_key_material.material.material_check import CheckedMaterial
from imported_key_material.material.proof import Proof
from imported_key_material.material.words import PROPERTIES
from imported_key_material.properties import Properties


@dataclass(frozen=True, slots=True)
class ReadMaterial:
    """Checked material, the proof that is kept after the wipe, and the material's version of the secret."""

    material: CheckedMaterial = field(repr=False)
    proof: Proof
    version_id: str
    place: str  # as `Source.place`


def read(
    properties: Properties, found: FoundSecret, version: Version, reader: SecretReader, spec: KeySpec
) -> ReadMaterial:
    """Reads one version of the secret, and checks its material. The caller wipes it."""
    source = reader.open(found, properties, version)
    with found_in(source.place):
        checked = material_check.check(
            source.value,
            spec,
            encoding=source.encoding,
            json_key=source.json_key,
            expected_check_value=properties.expected_check_value if version.entry is None else None,
            words=PROPERTIES.at(version.where),
            unwrapped=source.unwrapped,
        )
    return ReadMaterial(checked, Proof.of(checked), source.version_id, source.place)


def read_all(
    properties: Properties,
    found: FoundSecret,
    versions: Sequence[Version],
    reader: SecretReader,
    spec: KeySpec,
    faults: Faults,
) -> ReadMaterial | None:
    """Checks all versions first, so that a fault costs no import parameters. Wipes each of several before the next."""
    current: ReadMaterial | None = None
    for version in versions:
        with faults.collected():
            one = read(properties, found, version, reader, spec)
            if len(versions) > 1:
                one.material.wipe()
            current = current or one
    return current
