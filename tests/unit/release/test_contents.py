"""What is in the zips is known: each file comes from a wheel or from the commit, and the SBOM says which."""

import base64
import hashlib
import io
import json
import platform
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from layers.dependencies.build_layer import compile_ahead
from tools.release import origins, sbom
from tools.release.source import Source
from tools.release.wheels import PROJECTS, requirements

SOURCE = Source(Path(), "1.2.0", "c0ffee" + 34 * "0", datetime(2026, 11, 29, 12, tzinfo=UTC), "")
NEEDS = """\
Author: Łukasz
Requires-Dist: Old.Style (<3,>=2)
Requires-Dist: deep>=1; platform_system == 'Linux' and platform_machine == 'aarch64'
Requires-Dist: absent
Requires-Dist: plain; python_version < '3.13' or sys_platform == 'win32' or extra == 'more'
License: MIT"""
CODE, OTHER = b"print()", b"exit()"
BYTECODE = "__pycache__/plain.cpython-313.pyc"
RUST = {
    "components": [
        {
            "type": "library",
            "bom-ref": "path+file:///build/of/others",
            "name": "openssl",
            "version": "4.0.3",
            "purl": "pkg:generic/openssl@4.0.3",
        }
    ]
}


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def wheel(folder, file, metadata, files):
    name, version = file.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}\n".encode(),
    }
    rows = [
        f"{one},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip('=')},{len(content)}"
        for one, content in files.items()
    ]
    (folder / file).write_bytes(zipped({**files, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,"]).encode()}))
    return files


@pytest.fixture
def downloaded(tmp_path):
    """Wheels, and the files of each by its name."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    sboms = {"deep-1.dist-info/sboms/rust.json": json.dumps(RUST).encode()}
    files = {
        "plain": wheel(
            folder,
            "plain-1-py3-none-any.whl",
            'Author-email: "One, Two" <one@example.com>, three@example.com\nLicense-Expression: MIT OR Apache-2.0',
            {"plain.py": CODE},
        ),
        "old_style": wheel(
            folder,
            "old_style-2-py3-none-any.whl",
            "License: Dual License\nClassifier: License :: OSI Approved :: BSD License",
            {"old_style.py": CODE},
        ),
        "needy": wheel(folder, "needy-3-py3-none-any.whl", NEEDS, {"needy.py": CODE}),
        "x86": wheel(folder, "deep-1-cp313-manylinux_x86_64.whl", "License: MIT", {"deep.so": b"x86", **sboms}),
        "arm": wheel(folder, "deep-1-cp313-manylinux_aarch64.whl", "License: MIT", {"deep.so": b"arm", **sboms}),
    }
    return SimpleNamespace(wheels=origins.wheels_in(folder), files=files)


def layer(*parts, **more):
    files = {name: content for part in parts for name, content in part.items()} | more
    return zipped({f"python/{name}": content for name, content in files.items()})


def test_a_layer_comes_from_the_wheels_of_its_platform_and_not_from_those_that_it_does_not_use(downloaded):
    made = layer(downloaded.files["plain"], downloaded.files["arm"])

    found = origins.wheels_of("DependenciesArm64", made, downloaded.wheels)

    assert [one.file for one in found] == ["deep-1-cp313-manylinux_aarch64.whl", "plain-1-py3-none-any.whl"]


@pytest.mark.parametrize(
    "more",
    [
        {"plain.py": OTHER},
        {"added.py": CODE},
        {"__pycache__/gone.cpython-313.pyc": b"bytecode"},
        {"deep.so": b"x86"},
    ],
)
def test_a_file_that_no_wheel_of_the_platform_has_stops_the_release(downloaded, more):
    made = layer(downloaded.files["plain"], downloaded.files["arm"], **more)
    (name,) = more

    with pytest.raises(origins.UnknownOriginError) as refusal:
        origins.wheels_of("DependenciesArm64", made, downloaded.wheels)

    assert str(refusal.value) == (
        f"DependenciesArm64: {name} is not a file of the commit or of a downloaded wheel. Remove .aws-sam, and build again."
    )


def bytecode(folder, source, lies_in):
    """As the builds make it."""
    (folder / "plain.py").write_bytes(source)
    compile_ahead(folder, lies_in)
    return (folder / BYTECODE).read_bytes()


def test_bytecode_is_what_the_build_makes_of_the_source_beside_it(downloaded, tmp_path):
    made = bytecode(tmp_path, CODE, "/opt/python")

    assert origins.wheels_of("DependenciesArm64", layer(downloaded.files["plain"], {BYTECODE: made}), downloaded.wheels)


@pytest.mark.parametrize(("source", "lies_in"), [(OTHER, "/opt/python"), (CODE, "/elsewhere")])
def test_other_bytecode_stops_the_release_because_python_would_run_it(downloaded, tmp_path, source, lies_in):
    made = layer(downloaded.files["plain"], {BYTECODE: bytecode(tmp_path, source, lies_in)})

    with pytest.raises(origins.UnknownOriginError) as refusal:
        origins.wheels_of("DependenciesArm64", made, downloaded.wheels)

    assert str(refusal.value) == (
        f"DependenciesArm64: python/{BYTECODE} is not what Python {platform.python_version()} makes of its source. "
        "Remove .aws-sam, and build again with this Python."
    )


def test_bytecode_whose_invalidation_mode_is_another_one_stops_the_release(downloaded, tmp_path):
    """The second field of its header: Python would compare it with the source."""
    made = bytecode(tmp_path, CODE, "/opt/python")
    checked = made[:4] + (0b11).to_bytes(4, "little") + made[8:]

    with pytest.raises(origins.UnknownOriginError, match="makes of its source"):
        origins.wheels_of("DependenciesArm64", layer(downloaded.files["plain"], {BYTECODE: checked}), downloaded.wheels)


def test_the_bytecode_of_a_function_is_what_the_build_makes_of_the_commit(tmp_path):
    (tmp_path / "handler").mkdir()
    (tmp_path / "handler" / "plain.py").write_bytes(CODE)
    (tmp_path / "built").mkdir()
    made = bytecode(tmp_path / "built", CODE, "/var/task")
    origins.check_function("Function", zipped({"plain.py": CODE, BYTECODE: made}), tmp_path)

    other = bytecode(tmp_path / "built", OTHER, "/var/task")
    with pytest.raises(origins.UnknownOriginError, match=r"^Function: __pycache__/plain.* makes of its source"):
        origins.check_function("Function", zipped({"plain.py": CODE, BYTECODE: other}), tmp_path)


def test_a_function_has_only_files_of_the_commit(tmp_path):
    (tmp_path / "handler" / "package").mkdir(parents=True)
    (tmp_path / "handler" / "package" / "a.py").write_bytes(CODE)
    origins.check_function("Function", zipped({"package/a.py": CODE}), tmp_path)

    for files in ({"package/a.py": OTHER}, {"package/a.py": CODE, "package/.DS_Store": b""}):
        with pytest.raises(origins.UnknownOriginError, match=r"^Function: package/"):
            origins.check_function("Function", zipped(files), tmp_path)


def document(downloaded):
    zips = {
        "x86.zip": layer(downloaded.files["plain"], downloaded.files["x86"]),
        "arm.zip": layer(
            downloaded.files["plain"], *(downloaded.files[name] for name in ("old_style", "needy", "arm"))
        ),
        "function.zip": zipped({"a.py": CODE}),
    }
    inside = {
        "x86.zip": origins.wheels_of("DependenciesX8664", zips["x86.zip"], downloaded.wheels),
        "arm.zip": origins.wheels_of("DependenciesArm64", zips["arm.zip"], downloaded.wheels),
    }
    return sbom.document(SOURCE, zips, inside)


def test_the_sbom_is_valid_and_the_same_each_time(downloaded):
    made = document(downloaded)

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made.decode()) is None
    assert document(downloaded) == made
    assert json.loads(made)["metadata"]["timestamp"] == "2026-11-29T12:00:00+00:00"


def test_the_sbom_says_which_package_is_in_which_zip(downloaded):
    made = json.loads(document(downloaded))

    inside = {one["ref"]: one.get("dependsOn", []) for one in made["dependencies"]}
    assert inside["imported-key-material"] == ["arm.zip", "function.zip", "x86.zip"]
    assert inside["arm.zip"] == [
        "pkg:pypi/deep@1?file_name=deep-1-cp313-manylinux_aarch64.whl",
        "pkg:pypi/needy@3",
        "pkg:pypi/old-style@2",
        "pkg:pypi/plain@1",
    ]
    assert inside["x86.zip"] == ["pkg:pypi/deep@1?file_name=deep-1-cp313-manylinux_x86_64.whl", "pkg:pypi/plain@1"]
    assert inside["function.zip"] == []


def test_a_package_depends_on_what_it_needs_on_lambda_and_is_in_its_layer(downloaded):
    made = {one["ref"]: one.get("dependsOn", []) for one in json.loads(document(downloaded))["dependencies"]}

    assert made["pkg:pypi/needy@3"] == [
        "pkg:pypi/deep@1?file_name=deep-1-cp313-manylinux_aarch64.whl",
        "pkg:pypi/old-style@2",
    ]
    assert made["pkg:pypi/plain@1"] == []


def test_the_building_machine_is_never_asked_what_a_package_needs(downloaded, monkeypatch):
    made = document(downloaded)

    monkeypatch.setattr("packaging.markers.default_environment", lambda: {"extra": "more", "sys_platform": "win32"})

    assert document(downloaded) == made


def test_the_authors_are_those_that_the_package_states_without_their_addresses(downloaded):
    made = json.loads(document(downloaded))
    authors = {one["bom-ref"]: one["authors"] for one in made["components"] if "authors" in one}

    assert authors == {"pkg:pypi/needy@3": [{"name": "Łukasz"}], "pkg:pypi/plain@1": [{"name": "One, Two"}]}


def test_the_sbom_names_the_commit(downloaded):
    properties = json.loads(document(downloaded))["metadata"]["properties"]

    assert properties == [{"name": "commit", "value": SOURCE.commit}]


def test_a_package_has_its_licence_as_it_states_it_and_its_wheel_s_hash(downloaded):
    made = {one["bom-ref"]: one for one in json.loads(document(downloaded))["components"]}

    assert [one["expression"] for one in made["pkg:pypi/plain@1"]["licenses"]] == ["MIT OR Apache-2.0"]
    assert [one["license"]["name"] for one in made["pkg:pypi/old-style@2"]["licenses"]] == [
        "BSD License",
        "Dual License",
    ]
    deep = made["pkg:pypi/deep@1?file_name=deep-1-cp313-manylinux_x86_64.whl"]
    assert [one["license"]["id"] for one in deep["licenses"]] == ["MIT"]
    (expected,) = [one.sha256 for one in downloaded.wheels if "x86_64" in one.file]
    assert deep["hashes"] == [{"alg": "SHA-256", "content": expected}]


def test_what_is_linked_into_a_package_stands_inside_it_without_the_folders_of_who_built_it(downloaded):
    made = {one["bom-ref"]: one for one in json.loads(document(downloaded))["components"]}
    reference = "pkg:pypi/deep@1?file_name=deep-1-cp313-manylinux_x86_64.whl"

    assert made[reference]["components"] == [
        {
            "bom-ref": f"{reference}#openssl@4.0.3",
            "name": "openssl",
            "purl": "pkg:generic/openssl@4.0.3",
            "type": "library",
            "version": "4.0.3",
        }
    ]


def test_the_list_to_install_by_begins_with_the_wheel_itself():
    made = requirements(PROJECTS[0], "1.2.0", b"wheel", "# comment\nboto3==1 \\\n    --hash=sha256:00\n")

    digest = hashlib.sha256(b"wheel").hexdigest()
    assert made == (
        f"key-custodian==1.2.0 \\\n    --hash=sha256:{digest}\n# comment\nboto3==1 \\\n    --hash=sha256:00\n"
    )
