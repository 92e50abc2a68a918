"""The architecture, held: which module may know which, what stays pure, how large a module may grow (docs/internals/design.md).

A new module of the function needs a row in GROUPS: where it belongs is a decision.
"""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "handler" / "imported_key_material"
TOOL = REPOSITORY / "custodian"

# From the top down. A module imports from its own group and from those below, in no circle.
GROUPS = {
    "entry": {"app", "function", "on_failure_app", "on_failure"},
    "protocol": {"responder", "answer", "delivery", "given_up"},
    "life cycle": {
        *("resource", "removal", "importing", "symmetric", "rotation", "confirming", "rollback"),
        *(
            "operation",
            "preparation",
            "key_change",
            "declared_expiry",
            "refusals",
            "read_material",
            "sealing",
            "attributes",
            "still_needed",
        ),
    },
    "the world": {
        *(
            "clients",
            "request",
            "cloudformation",
            "stack",
            "holders",
            "past",
            "consent",
            "consent_tags",
            "secret",
            "secret_errors",
            "kms_key",
            "key_view",
            "import_parameters",
        ),
        *("calling", "aws_errors", "aws_session", "quota", "handing_on", "metrics"),
    },
    "pure": {
        "held_materials",
        "wrapped_value",
        *(
            "properties",
            "masks",
            "proof",
            "wrapping",
            "material",
            "secret_bytes",
            "secret_value",
            "private_key",
            "asymmetric",
        ),
        *("check_value", "encoding", "foreign_form", "pem", "der", "readable", "pattern", "key_specs"),
    },
    "foundation": {"errors", "waiting", "quiet", "__init__"},
}
APART = {"protocol", "life cycle"}  # neither knows the other; the entry brings them together
PURE = GROUPS["pure"] | {"errors", "__init__"}
OF_AWS = ("boto3", "botocore", "crhelper", "aws_lambda_powertools")

ONLY_IN = {  # what is not passed in can't be simulated
    "boto3": {"app", "on_failure_app", "aws_session", "clients"},
    "crhelper": {"responder"},
    "random": {"waiting"},
}
CLOCKS = {("time", "sleep"), ("time", "time"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}

MODULE_LINES = {"handler": 260, "custodian": 260, "tools": 260, "layers": 260, "lab": 300, "tests/support": 300}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def modules():
    return {path.stem: path for path in sorted(PACKAGE.rglob("*.py"))}


def group_of(module):
    return next(name for name, members in GROUPS.items() if module in members)


@cache
def imports(module):
    """(modules of the package, everything else by its top name) that `module` imports, wherever in it."""
    own, other = set(), set()
    for node in ast.walk(ast.parse(modules()[module].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name:
            own |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{PACKAGE.name}."):
            own.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports by relative name"
            other.add(str(node.module).split(".")[0])
        elif isinstance(node, ast.Import):
            other |= {alias.name.split(".")[0] for alias in node.names}
    return frozenset(own), frozenset(other)


def test_every_module_of_the_function_has_its_place():
    assert set(modules()) == set().union(*GROUPS.values())
    assert sum(map(len, GROUPS.values())) == len(modules())


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_from_its_own_group_and_those_below(module):
    order = list(GROUPS)
    mine = group_of(module)

    upwards = {name for name in imports(module)[0] if order.index(group_of(name)) < order.index(mine)}

    assert upwards == set()


def test_no_import_goes_in_a_circle():
    graph = {module: imports(module)[0] for module in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"Imports go in a circle: {' -> '.join(circle.args[1])}")


@pytest.mark.parametrize("group", sorted(APART))
def test_the_protocol_does_not_know_the_life_cycle_nor_the_other_way_round(group):
    (other,) = APART - {group}

    assert {name: imports(name)[0] & GROUPS[other] for name in GROUPS[group] if imports(name)[0] & GROUPS[other]} == {}


@pytest.mark.parametrize("module", sorted(ONLY_IN))
def test_the_edges_of_the_world_are_in_few_places(module):
    assert {name for name in modules() if module in imports(name)[1]} <= ONLY_IN[module]


def test_the_clock_is_read_and_slept_by_in_one_place():
    reads = {
        f"{module}: {node.value.id}.{node.attr}"
        for module, path in modules().items()
        if module != "waiting"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS
    }

    assert reads == set()


def test_the_pure_modules_load_nothing_of_aws():
    names = sorted(PURE - {"__init__"})
    program = f"import sys, {', '.join(f'{PACKAGE.name}.{name}' for name in names)}; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    ).stdout.split()

    assert {name.split(".")[0] for name in loaded} & set(OF_AWS) == set()


def test_the_on_failure_function_loads_nothing_of_the_life_cycle():
    """It must run where the first function can't be loaded: for want of memory, or because a package is broken."""
    program = f"import sys, {PACKAGE.name}.on_failure_app; print(*sys.modules)"
    home = {
        "PYTHONPATH": str(PACKAGE.parent),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    loaded = subprocess.run(
        [sys.executable, "-c", program], env=home, capture_output=True, text=True, check=True
    ).stdout.split()

    assert {name for name in loaded if name.split(".")[0] in {"cryptography", "crhelper", "fastjsonschema"}} == set()
    own = {name.split(".")[1] for name in loaded if name.startswith(f"{PACKAGE.name}.")}
    assert own == {
        *(
            "on_failure_app",
            "on_failure",
            "given_up",
            "answer",
            "delivery",
            "request",
            "cloudformation",
            "stack",
            "past",
        ),
        *("calling", "aws_errors", "aws_session", "errors", "waiting", "quiet"),
    }


@pytest.mark.parametrize("module", sorted(PURE))
def test_the_pure_modules_keep_to_the_syntax_of_python_3_11(module):
    ast.parse(modules()[module].read_text(), feature_version=(3, 11))


# ------------------------------------------------------------------------------------------------ the custodian's tool

FOR_THE_TOOL = (PURE | {"consent"}) - {"properties"}  # consent: what the tag says; properties need fastjsonschema
KNOW_BOTO3 = {"aws"}


def tool_modules():
    return {path.stem: path for path in sorted(TOOL.glob("*.py"))}


@cache
def tool_imports(module):
    """(modules of the tool, modules of the function, everything else) that a module of the tool imports."""
    found = {"custodian": set(), PACKAGE.name: set(), "": set()}
    for node in ast.walk(ast.parse(tool_modules()[module].read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports by relative name"
            top, _, rest = str(node.module).partition(".")
            names = {rest.split(".")[0]} if rest else {alias.name for alias in node.names}
            found[top if top in found else ""] |= names if top in found else {top}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top, _, rest = alias.name.partition(".")
                found[top if top in found else ""].add(rest.split(".")[0] if top in found else top)
    return found["custodian"], found[PACKAGE.name], found[""]


def test_the_tool_knows_the_function_s_pure_modules_alone():
    assert {name: strange for name in tool_modules() if (strange := tool_imports(name)[1] - FOR_THE_TOOL)} == {}


def test_of_the_tool_one_module_knows_boto3():
    assert {name for name in tool_modules() if tool_imports(name)[2] & set(OF_AWS)} == KNOW_BOTO3


def test_the_function_does_not_know_the_tool():
    assert {name for name in modules() if "custodian" in imports(name)[1]} == set()


def test_no_import_of_the_tool_goes_in_a_circle():
    graph = {module: tool_imports(module)[0] for module in tool_modules()}
    TopologicalSorter(graph).prepare()


def test_no_command_loads_boto3_before_it_talks_to_aws():
    names = ", ".join(f"custodian.{name}" for name in tool_modules() if name != "__main__")
    program = (
        f"import sys; sys.path[:0] = {[str(PACKAGE.parent), str(REPOSITORY)]}; import {names}; print(*sys.modules)"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert {name.split(".")[0] for name in loaded} & set(OF_AWS) == set()


@pytest.mark.parametrize("module", sorted(path.stem for path in TOOL.glob("*.py")))
def test_the_tool_keeps_to_the_syntax_of_python_3_11(module):
    ast.parse(tool_modules()[module].read_text(), feature_version=(3, 11))


# ---------------------------------------------------------------------------------------------------- size and names


def sources(folder):
    return [path for path in sorted((REPOSITORY / folder).rglob("*.py")) if ".venv" not in path.parts]


@pytest.mark.parametrize("folder", MODULE_LINES)
def test_no_module_is_too_long_to_be_read_at_once(folder):
    long = {
        str(path.relative_to(REPOSITORY)): lines
        for path in sources(folder)
        if (lines := path.read_text().count("\n")) > MODULE_LINES[folder]
    }

    assert long == {}, f"more than {MODULE_LINES[folder]} lines: a module that grows wants to be two"


@pytest.mark.parametrize("folder", MODULE_LINES)
def test_a_module_says_at_its_top_what_it_is_for(folder):
    silent = [
        str(path.relative_to(REPOSITORY))
        for path in sources(folder)
        if (text := path.read_text()) and not ast.get_docstring(ast.parse(text))
    ]

    assert silent == []


def test_no_module_has_a_name_that_says_nothing():
    named = [path for folder in ("custodian", "handler", "lab", "tools", "layers", "tests") for path in sources(folder)]

    assert [str(path) for path in named if set(path.stem.split("_")) & EMPTY_NAMES] == []


# ------------------------------------------------------------------------------------------------------------- the lab


def test_the_programs_of_the_lab_know_nothing_of_the_tests():
    found = {
        str(path.relative_to(REPOSITORY))
        for path in sources("lab")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and any(name.split(".")[0] == "tests" for name in _imported_names(node))
    }

    assert found == set()


def _imported_names(node):
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)]


def test_each_folder_of_the_lab_stands_in_its_index():
    index = ast.get_docstring(ast.parse((REPOSITORY / "lab" / "__init__.py").read_text()))

    folders = [path.parent.name for path in sorted((REPOSITORY / "lab").glob("*/__init__.py"))]

    assert [name for name in folders if f"{name}/" not in index] == []
