"""The lint rules as a package: which rules it holds, where cfn-lint finds them, and what it may import."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from cfnlint.rules import RulesCollection

import cfn_lint_imported_key_material as package

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = Path(package.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))


def loaded(*, folder: Path | None = None) -> dict[str, type]:
    rules = RulesCollection()  # refuses a rule that it has already
    if folder is None:
        rules.create_from_module(package.__name__)
    else:
        rules.create_from_directory(str(folder))
    return {rule.id: type(rule) for rule in rules.all_rules.values()}


def test_the_package_holds_each_rule_that_its_top_names() -> None:
    named = re.findall(r"^    ([EWI]99\d\d)  \S", str(package.__doc__), re.MULTILINE)

    assert sorted(loaded()) == sorted(named)
    assert [int(name[1:]) for name in named] == list(range(9901, 9901 + len(named)))


@pytest.mark.parametrize("folder", [FOLDER, FOLDER.parent])
def test_a_folder_in_a_clone_gives_the_same_rules_without_any_installation(folder: Path) -> None:
    assert loaded(folder=folder) == loaded()


def test_cfn_lint_loads_by_folder_only_the_module_that_is_made_for_that() -> None:
    assert [path.stem for path in MODULES if not path.stem.startswith("_")] == ["clone"]


def test_the_schema_is_the_function_s_own_file() -> None:
    own, function = FOLDER / "schema.json", REPOSITORY / "handler" / "imported_key_material" / "schema.json"

    assert own.read_bytes() == function.read_bytes()


def test_the_rules_import_nothing_but_cfn_lint() -> None:
    """The function and its packages are not installed where templates are checked."""
    imported = {
        name.split(".")[0]
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 11)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([str(node.module)] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }

    assert imported - {"cfnlint", package.__name__} == {
        *("collections", "contextlib", "datetime", "difflib", "itertools", "json", "pathlib", "re", "sys", "typing")
    }


def test_the_package_is_released_with_the_application_and_the_page_names_that_release() -> None:
    root, own = (
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        for folder in (REPOSITORY, REPOSITORY / "lint")
    )

    assert own["version"] == root["version"]
    assert own["requires-python"] == root["requires-python"]
    assert f"rev: v{own['version']}\n" in (REPOSITORY / "docs" / "deploying.md").read_text()
