"""The function's code as it is built: the package with bytecode, and the same bytes every time."""

import importlib.util
import shutil

import pytest

from tests.support.building import FUNCTION_SOURCE, build
from tools.layer import zip_folder

pytestmark = pytest.mark.slow

UNCHECKED_HASH = 0b01  # PEP 552: hash-based, its source is not looked at


@pytest.fixture
def source(tmp_path):
    """A copy of the function's folder, which a test may change; with the files that a test run leaves."""
    source = shutil.copytree(FUNCTION_SOURCE, tmp_path / "handler", ignore=shutil.ignore_patterns("__pycache__"))
    left_over = source / "imported_key_material" / "__pycache__"
    left_over.mkdir()
    (left_over / "app.cpython-311.pyc").write_bytes(b"another Python's")
    return source


def test_building_it_again_gives_the_same_bytes_whatever_a_test_run_left(source, tmp_path):
    once = build(FUNCTION_SOURCE, "Function", tmp_path / "once")
    again = build(source, "Function", tmp_path / "again")

    assert zip_folder(again) == zip_folder(once)
    assert not list(again.rglob("*cpython-311*"))


def test_the_on_failure_function_is_built_of_the_same_bytes(tmp_path):
    first = build(FUNCTION_SOURCE, "Function", tmp_path / "first")
    second = build(FUNCTION_SOURCE, "OnFailureFunction", tmp_path / "second")

    assert zip_folder(second) == zip_folder(first)


def test_it_holds_the_package_and_nothing_else(tmp_path):
    built = build(FUNCTION_SOURCE, "Function", tmp_path / "built")
    package = FUNCTION_SOURCE / "imported_key_material"

    sources = {path.relative_to(package) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    found = {path.relative_to(built / package.name) for path in built.rglob("*") if path.is_file()}

    assert {path for path in found if path.suffix != ".pyc"} == sources
    assert [path.name for path in built.iterdir()] == ["imported_key_material"]


def test_every_module_has_bytecode_that_is_never_checked_and_names_lambda_s_folder(tmp_path):
    built = build(FUNCTION_SOURCE, "Function", tmp_path / "built")
    modules = list(built.rglob("*.py"))

    assert len(modules) > 10
    for module in modules:
        bytecode = (module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc").read_bytes()
        magic, flags = bytecode[:4], int.from_bytes(bytecode[4:8], "little")
        assert (magic, flags) == (importlib.util.MAGIC_NUMBER, UNCHECKED_HASH), module
        assert f"/var/task/{module.relative_to(built)}".encode() in bytecode
