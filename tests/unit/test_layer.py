"""The layer as it is built: every wheel checked, nothing missing, nothing superfluous, the same bytes every time."""

import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys

import pytest

from lab.local import deploy, places
from layers.dependencies.build_layer import KEPT
from tests.support.building import LAYER_SOURCE, REPOSITORY, BuildFailed, build
from tools.layer import LAYERS, LIMIT_BYTES, read, table

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("layer")]  # one worker zips them, once

ARCHITECTURES = sorted(LAYERS)
ELF_MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine: EM_X86_64, EM_AARCH64
UNCHECKED_HASH = 0b01  # PEP 552: hash-based, its source is not looked at
HERE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(os.uname().machine)


@pytest.fixture(scope="module")
def layers():
    """As `sam build` made them for the whole run."""
    deploy.build()
    return {name: places.BUILT / LAYERS[name] for name in ARCHITECTURES}


@pytest.fixture(scope="module")
def zipped(layers):
    return {name: read(folder) for name, folder in layers.items()}


@pytest.fixture(params=ARCHITECTURES)
def architecture(request):
    return request.param


# ----------------------------------------------------------------------------------------------------- what is promised


def test_building_it_again_gives_the_same_bytes(zipped, architecture, tmp_path):
    again = build(LAYER_SOURCE, LAYERS[architecture], tmp_path / "again")

    assert read(again).sha256 == zipped[architecture].sha256
    assert {path.stat().st_mtime for path in again.rglob("*") if path.name != "python"} == {946684800.0}


def test_it_is_small_enough(zipped, architecture):
    assert len(zipped[architecture].zipped) <= LIMIT_BYTES


def test_its_libraries_are_of_its_architecture(layers, architecture):
    libraries = list(layers[architecture].rglob("*.so*"))

    assert len(libraries) >= 2  # cryptography's, and cffi's
    for library in libraries:
        assert library.read_bytes()[:4] == b"\x7fELF"
        (machine,) = struct.unpack_from("<H", library.read_bytes(), 18)
        assert machine == ELF_MACHINES[architecture], library.name


def test_every_module_has_bytecode_for_lambda_s_python_that_is_never_checked_against_its_source(layers, architecture):
    modules = list(layers[architecture].rglob("*.py"))

    assert len(modules) > 300
    for module in modules:
        bytecode = (module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc").read_bytes()
        magic, flags = bytecode[:4], int.from_bytes(bytecode[4:8], "little")
        assert (magic, flags) == (importlib.util.MAGIC_NUMBER, UNCHECKED_HASH), module


def test_a_traceback_names_the_files_where_lambda_mounts_them(layers, architecture):
    bytecode = layers[architecture] / "python" / "__pycache__" / "six.cpython-313.pyc"

    assert b"/opt/python/six.py" in bytecode.read_bytes()
    assert str(layers[architecture]).encode() not in bytecode.read_bytes()


def test_every_package_goes_out_with_its_license_and_its_name(layers, architecture):
    packages = list((layers[architecture] / "python").glob("*.dist-info"))

    assert len(packages) >= 12
    for package in packages:
        assert (package / "METADATA").exists()
        assert [path for path in package.rglob("*") if re.match(r"(?i)licen[sc]e|copying", path.name)], package.name


def test_botocore_knows_the_services_that_the_functions_call_and_no_other(layers, architecture):
    data = layers[architecture] / "python" / "botocore" / "data"

    assert sorted(path.name for path in data.iterdir() if path.is_dir()) == [
        "cloudformation",
        "kms",
        "lambda",
        "secretsmanager",
        "sns",
        "sts",
    ]


def test_it_keeps_botocore_s_description_of_each_service_that_the_template_says_is_called():
    """Without a build, so that it also runs where there are no wheels."""
    template = (REPOSITORY / "template.yaml").read_text()
    called = re.search(r"  FipsServices:\n.*\n.*\n    AllowedPattern: \"\(\(([a-z|]+)\)", template)[1].split("|")

    assert set(dict(KEPT)["botocore/data"]) == {*called, "sts"}


@pytest.mark.skipif(HERE is None, reason="Lambda has no such processor")
def test_the_functions_find_in_it_everything_that_they_load(layers):
    """In a process with only the standard library, the layer and the functions' code, all read-only."""
    program = """
import sys
sys.path[:0] = sys.argv[1:]
import imported_key_material.app, imported_key_material.on_failure_app, imported_key_material.watch_app
import boto3
for service in ("cloudformation", "kms", "lambda", "secretsmanager", "sns", "sts"):
    boto3.client(service, region_name="eu-central-1")
from cryptography.hazmat.primitives.asymmetric import rsa
rsa.generate_private_key(65537, 2048)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""
    layer = layers[HERE] / "python"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program, REPOSITORY / "handler", layer],
        env={
            "AWS_DEFAULT_REGION": "eu-central-1",
            "ALARM_TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:alarms",
            "EXPIRY_WARNING_DAYS": "30",
            "SERVICE_TOKEN_EXPORT": "imported-key-material-ServiceToken",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert {"boto3", "crhelper", "cryptography", "aws_lambda_powertools", "fastjsonschema"} <= set(done.stdout.split())


def test_its_table_names_every_package_and_adds_up(zipped):
    printed = table(zipped)

    for package in ("cryptography", "botocore", "cffi", "python-dateutil"):
        assert f"| {package} | " in printed
    for layer in zipped.values():
        overhead = len(layer.zipped) - sum(layer.packages.values())  # a zip's own headers
        assert 0 < overhead < 0.05 * len(layer.zipped)


# ------------------------------------------------------------------------------------------------------- what is refused


@pytest.fixture
def source(tmp_path):
    """A copy of the layer's folder, which a test may change."""
    return shutil.copytree(LAYER_SOURCE, tmp_path / "source")


def test_a_wheel_with_another_hash_than_the_list_s_is_not_taken(source, architecture, tmp_path):
    requirements = source / "requirements.txt"
    text = requirements.read_text()
    start = text.index("crhelper==")
    end = text.index("# via", start)
    tampered = re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + 64 * "0", text[start:end])
    requirements.write_text(text[:start] + tampered + text[end:])

    with pytest.raises(BuildFailed, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        build(source, LAYERS[architecture], tmp_path / "built")


def test_a_list_without_hashes_is_not_taken(source, architecture, tmp_path):
    requirements = source / "requirements.txt"
    requirements.write_text(re.sub(r" \\\n    --hash=\S+", "", requirements.read_text()))

    with pytest.raises(BuildFailed, match="Hashes are required in --require-hashes mode"):
        build(source, LAYERS[architecture], tmp_path / "built")


def test_a_pruning_rule_that_matches_nothing_stops_the_build(source, tmp_path):
    program = source / "build_layer.py"
    program.write_text(program.read_text().replace('("bin", ', '("no_such_folder", '))

    with pytest.raises(BuildFailed, match=r"no_such_folder \(command line programs\): nothing matches\."):
        build(source, LAYERS["arm64"], tmp_path / "built")


def test_a_folder_that_holds_another_build_is_not_built_into(tmp_path):
    (tmp_path / "left_over.py").touch()

    done = subprocess.run(
        [sys.executable, LAYER_SOURCE / "build_layer.py", "build", "arm64", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "is not empty. Remove it first: files of another build would stay in the layer." in done.stderr


def test_without_python_3_13_the_build_says_so(tmp_path):
    done = subprocess.run(
        ["make", "build-DependenciesArm64", "PYTHON=no-such-python", f"ARTIFACTS_DIR={tmp_path}"],  # noqa: S607  # on PATH
        cwd=LAYER_SOURCE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "Python 3.13 is needed, as python3.13 on PATH or as PYTHON=/path/to/it." in done.stderr


# ------------------------------------------------------------------------------------------------------- what is pinned


def pins(path):
    """name -> version, of a list with hashes."""
    return dict(re.findall(r"(?m)^([A-Za-z0-9_.-]+)==([^\s;]+)", path.read_text()))


def test_tests_run_with_the_versions_that_are_deployed():
    deployed = pins(LAYER_SOURCE / "requirements.txt")
    tested = pins(REPOSITORY / "requirements" / "dev.txt")

    assert len(deployed) > 10
    assert deployed == {name: tested.get(name) for name in deployed}


@pytest.mark.parametrize("name", ["dev", "sam", "local", "lock"])
def test_every_installed_package_is_pinned_with_hashes(name):
    listed = (REPOSITORY / "requirements" / f"{name}.txt").read_text()
    packages = re.findall(r"(?m)^[A-Za-z0-9].*$", listed)

    assert packages
    assert [line for line in packages if not re.fullmatch(r"\S+==\S+( ; .+)? \\", line)] == []
