"""What the functions' and layers' zips consist of, as a CycloneDX document: packages with licences, purls and hashes.

Each zip depends on the packages in it, and each package on those in the same layer that it states it needs: what the layer
leaves out, such as the pycparser that cffi names, is not in the release. A package's hash is that of its wheel, as the package
index states it; a package for one platform stands once for each. What a package says of itself in `.dist-info/sboms/` (PEP
770), OpenSSL in cryptography, stands inside it.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from email.utils import getaddresses
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalContact
from cyclonedx.model.license import License, LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tools.release.origins import PLATFORMS, Wheel
from tools.release.source import Source

APPLICATION, LICENCE = "imported-key-material", "Apache-2.0"
DECLARED: Final = LicenseAcknowledgement.DECLARED  # by the package's authors
IN_CLASSIFIERS: Final = "License :: OSI Approved :: "
ON_LAMBDA: Final = {
    "extra": "",
    "implementation_name": "cpython",
    "implementation_version": "3.13.0",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
"""For the conditions of needs: all that they can name but the machine, so that they never ask about the building one."""


def document(source: Source, zips: Mapping[str, bytes], inside: Mapping[str, list[Wheel]]) -> bytes:
    """CycloneDX 1.6, JSON. `zips`: by name; `inside`: the wheels in each. Its time is the commit's."""
    own = LicenseFactory().make_with_id(LICENCE)
    application = Component(
        name=APPLICATION, version=source.version, type=ComponentType.APPLICATION, bom_ref=APPLICATION, licenses=[own]
    )
    files = {
        name: Component(name=name, type=ComponentType.FILE, bom_ref=name, hashes=[_sha256(content)])
        for name, content in zips.items()
    }
    packages = {wheel.file: _package(wheel, zips[name]) for name, wheels in sorted(inside.items()) for wheel in wheels}
    bom = Bom(
        components=[*files.values(), *packages.values()],
        metadata=BomMetaData(
            component=application,
            timestamp=source.committed,
            properties=[Property(name="commit", value=source.commit)],
        ),
        serial_number=uuid5(NAMESPACE_URL, " ".join([APPLICATION, source.version, *sorted(zips)])),
    )
    bom.register_dependency(application, files.values())
    for name, file in files.items():
        bom.register_dependency(file, [packages[wheel.file] for wheel in inside.get(name, [])])
    for wheels in inside.values():
        by_name = {canonicalize_name(wheel.metadata["Name"]): packages[wheel.file] for wheel in wheels}
        for wheel in wheels:
            bom.register_dependency(packages[wheel.file], [by_name[name] for name in needs(wheel) if name in by_name])
    return (JsonV1Dot6(bom).output_as_string(indent=1) + "\n").encode()


def _sha256(content: bytes) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(content).hexdigest())


def _package(wheel: Wheel, zipped: bytes) -> Component:
    name, version = wheel.metadata["Name"], wheel.metadata["Version"]
    only_here = {} if wheel.is_for_all_platforms else {"file_name": wheel.file}
    purl = PackageURL("pypi", name=canonicalize_name(name), version=version, qualifiers=only_here)
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        licenses=licences(wheel),
        authors=[OrganizationalContact(name=author) for author in authors(wheel)],
        components=_linked_in(str(purl), wheel, zipped),
    )


def licences(wheel: Wheel) -> list[License]:
    """An SPDX expression or id where the package states one, else the names that it states."""
    known = LicenseFactory()
    stated = wheel.metadata["License-Expression"] or wheel.metadata["License"] or ""
    found = known.make_from_string(stated, license_acknowledgement=DECLARED)
    names = [
        value.removeprefix(IN_CLASSIFIERS)
        for value in wheel.metadata.get_all("Classifier", [])
        if value.startswith(IN_CLASSIFIERS)
    ]
    if getattr(found, "name", None) is None:
        return [found]
    return [known.make_with_name(name, acknowledgement=DECLARED) for name in dict.fromkeys([stated, *names]) if name]


def authors(wheel: Wheel) -> list[str]:
    """Names, without addresses."""
    stated = wheel.metadata["Author"]
    return [stated] if stated else [name for name, _ in getaddresses([wheel.metadata["Author-email"] or ""]) if name]


def needs(wheel: Wheel) -> set[NormalizedName]:
    """The packages that it states it needs on Lambda, on either architecture, without its extras."""
    stated = map(Requirement, wheel.metadata.get_all("Requires-Dist", []))
    machines = [{**ON_LAMBDA, "platform_machine": machine} for machine in PLATFORMS.values()]
    return {
        canonicalize_name(one.name)
        for one in stated
        if one.marker is None or any(one.marker.evaluate(machine) for machine in machines)
    }


def _linked_in(package: str, wheel: Wheel, zipped: bytes) -> Iterator[Component]:
    """What the package's own SBOMs name: libraries that are part of its binary."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        for name in sorted(wheel.record):
            if ".dist-info/sboms/" in name and name.endswith(".json"):
                for component in json.loads(archive.read(f"python/{name}")).get("components", []):
                    yield _component(package, component)


def _component(package: str, stated: dict[str, Any]) -> Component:
    """Its reference would name a folder of the machine that built the package."""
    taken = {key: stated[key] for key in ("type", "name", "version", "purl", "licenses", "hashes") if key in stated}
    component: Component = Component.from_json(taken)  # type: ignore[attr-defined]  # added by its decorator
    component.bom_ref.value = f"{package}#{component.name}@{component.version}"
    return component
