"""A secret's version -> checked material: plaintext from here on, until it is wiped.

What is kept of the material once it is wiped is its proof: nothing secret.
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
    """Checked material, what is kept of it once it is wiped, and the version in which it was."""

    material: CheckedMaterial = field(repr=False)
    proof: Proof
    version_id: str
    place: str  # as `Source.place`


def read(
    properties: Properties, found: FoundSecret, version: Version, reader: SecretReader, spec: KeySpec
) -> ReadMaterial:
    """Reads one version of the secret, and checks what is in it. Plaintext from here on, until it is wiped."""
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
    """Checks all versions, so that what is wrong costs no import parameters. Of several each is wiped before the next."""
    current: ReadMaterial | None = None
    for version in versions:
        with faults.collected():
            one = read(properties, found, version, reader, spec)
            if len(versions) > 1:
                one.material.wipe()
            current = current or one
    return current
