"""The architecture: which room may import which, what stays pure, how large a module may be (docs/internals/design.md).

The rooms are the folders of the package: this test reads them. A new module needs no line here.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from lab.keys.random_keys import random_key

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "handler" / "imported_key_material"
TOOL = REPOSITORY / "key_custodian"

# From the top down. A module imports from its own room and from those below, in no circle.
ROOMS = ("app", "wiring", "lifecycle", "cloudformation", "watch", "aws", "material", "what all use")
# From cloudformation/ the life cycle imports the request, the outcome, and the stack's statuses: no protocol.
FOR_THE_LIFE_CYCLE = {"request", "outcome", "stack", "stack_events", "stack_resources"}
# From aws/ the on-failure function loads the calls, and nothing about keys and secrets.
FOR_ON_FAILURE = {"boto_session", "calls", "cloudformation_reads", "error_texts", "meanings"}
# From aws/ the custodian's tool loads what KMS shows, and what an error means.
FOR_THE_TOOL = {"cloudformation_reads", "held_materials", "key_view", "kms_pages", "meanings", "transport_key"}
# From aws/ the watch loads the calls, and what KMS shows.
FOR_THE_WATCH = FOR_ON_FAILURE | {"held_materials", "key_view", "kms_pages"}
# From the watch the custodian's tool loads the look, and what follows from it.
LOOK_FOR_THE_TOOL = {"estate", "findings", "look"}
OF_AWS = ("boto3", "botocore", "crhelper", "aws_lambda_powertools")

ONLY_IN = {  # a test can simulate only what is an argument
    "boto3": {"app", "on_failure_app", "watch_app", "aws.boto_session", "aws.clients"},
    "crhelper": {"cloudformation.crhelper_adapter"},
    "random": {"clock"},
}
CLOCKS = {("time", "sleep"), ("time", "time"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}

MODULE_LINES = {
    **dict.fromkeys(("handler", "key_custodian", "lint", "tools", "layers"), 260),
    **dict.fromkeys(("lab", "tests/support"), 300),
}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def modules():
    """By dotted name within the package, such as "aws.calls". A folder's `__init__` is left out: it is only a map."""
    paths = {path.relative_to(PACKAGE).with_suffix(""): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {".".join(name.parts): path for name, path in paths.items() if name.name != "__init__"}


def room_of(module):
    folder, _, name = module.rpartition(".")
    if folder:
        return folder
    if name == "wiring":
        return name
    return "app" if name.endswith("app") else "what all use"


@cache
def imports(module):
    """(modules of the package, everything else by its top name) that `module` imports, wherever in it."""
    own, other = set(), set()
    for node in ast.walk(ast.parse(modules()[module].read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == PACKAGE.name:
            inside = str(node.module).removeprefix(PACKAGE.name).removeprefix(".")
            names = {f"{inside}.{alias.name}".removeprefix(".") for alias in node.names}
            own |= names if inside not in modules() else {inside}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports by relative name"
            other.add(str(node.module).split(".")[0])
        elif isinstance(node, ast.Import):
            other |= {alias.name.split(".")[0] for alias in node.names}
    return frozenset(own), frozenset(other)


OF_THE_WATCH = {"ALARM_TOPIC_ARN": "arn", "EXPIRY_WARNING_DAYS": "30", "SERVICE_TOKEN_EXPORT": "app-ServiceToken"}


def loaded_by_the_watch():
    return loaded_by(f"{PACKAGE.name}.watch_app", **OF_THE_WATCH)


def loaded_by(program, **environment):
    home = environment | {
        "PYTHONPATH": os.pathsep.join(map(str, (PACKAGE.parent, REPOSITORY))),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-c", f"import sys, {program}; print(*sys.modules)"]
    return set(subprocess.run(command, env=home, capture_output=True, text=True, check=True).stdout.split())


def of_package(loaded, folder=""):
    """The loaded modules of the package, by dotted name; of one folder, by their names there. Without `__init__`."""
    whole = {name.removeprefix(f"{PACKAGE.name}.") for name in loaded} & set(modules())
    return {name.removeprefix(f"{folder}.") for name in whole if name.startswith(f"{folder}.")} if folder else whole


def for_the_tool_of_rooms():
    return {f"aws.{name}" for name in FOR_THE_TOOL} | {f"watch.{name}" for name in LOOK_FOR_THE_TOOL}


def test_the_rooms_are_the_folders_of_the_package():
    folders = {path.parent.name for path in PACKAGE.glob("*/*.py")}

    assert folders == {room for room in ROOMS if (PACKAGE / room).is_dir()}
    assert len(modules()) == len({path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}) > 50
    assert {name for module in modules() for name in imports(module)[0]} <= set(modules())


@pytest.mark.parametrize("room", [None, "lifecycle", "cloudformation", "watch", "aws", "material"])
def test_the_map_of_a_room_names_each_of_its_modules(room):
    folder = PACKAGE / room if room else PACKAGE
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    named = {name.removesuffix(".py") for name in re.findall(r"\w+\.py", text)} - {"test_architecture"}

    assert named == {path.stem for path in folder.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_from_its_own_room_and_those_below(module):
    mine = ROOMS.index(room_of(module))

    assert {name for name in imports(module)[0] if ROOMS.index(room_of(name)) < mine} == set()


def test_no_import_goes_in_a_circle():
    graph = {module: imports(module)[0] for module in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"Imports go in a circle: {' -> '.join(circle.args[1])}")


def test_the_life_cycle_knows_nothing_of_the_protocol():
    allowed = {f"cloudformation.{name}" for name in FOR_THE_LIFE_CYCLE}
    known = {name for module in modules() if room_of(module) == "lifecycle" for name in imports(module)[0]}

    assert {name for name in known if room_of(name) == "cloudformation"} == allowed


@pytest.mark.parametrize("module", sorted(ONLY_IN))
def test_the_edges_of_the_world_are_in_few_places(module):
    assert {name for name in modules() if module in imports(name)[1]} == ONLY_IN[module]


def test_the_clock_is_read_and_slept_by_in_one_place():
    reads = {
        f"{module}: {node.value.id}.{node.attr}"
        for module, path in modules().items()
        if module != "clock"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS
    }

    assert reads == set()


def pure():
    return [
        *(name for name in modules() if room_of(name) == "material"),
        *("consent", "errors", "key_id", "properties"),
    ]


def pure_of_the_watch():
    """They load aws/'s pure modules, too."""
    return [f"watch.{name}" for name in ("advice", "digest", "estate", "findings", "look", "occasion")]


def test_the_pure_modules_load_nothing_of_aws():
    loaded = loaded_by(", ".join(f"{PACKAGE.name}.{name}" for name in pure()))

    assert {name.split(".")[0] for name in loaded} & set(OF_AWS) == set()
    assert of_package(loaded, "aws") | of_package(loaded, "cloudformation") | of_package(loaded, "lifecycle") == set()


def test_the_on_failure_function_loads_nothing_of_the_life_cycle():
    """It must run where the main function can't load: because memory is short, or a package is broken."""
    loaded = loaded_by(f"{PACKAGE.name}.on_failure_app")

    assert {name for name in loaded if name.split(".")[0] in {"cryptography", "crhelper", "fastjsonschema"}} == set()
    assert of_package(loaded, "lifecycle") | of_package(loaded, "material") == set()
    assert of_package(loaded, "aws") == FOR_ON_FAILURE


def test_the_pure_modules_of_the_watch_load_no_calls():
    loaded = loaded_by(", ".join(f"{PACKAGE.name}.{name}" for name in pure_of_the_watch()))

    assert {name.split(".")[0] for name in loaded} & set(OF_AWS) == set()
    assert of_package(loaded, "aws") == FOR_THE_WATCH - FOR_ON_FAILURE | {"cloudformation_reads", "meanings"}


def test_the_watch_loads_nothing_that_judges_material_or_changes_a_key():
    loaded = loaded_by_the_watch()

    assert {name for name in loaded if name.split(".")[0] in {"cryptography", "crhelper", "fastjsonschema"}} == set()
    assert (
        of_package(loaded, "lifecycle") | of_package(loaded, "material") | of_package(loaded, "cloudformation") == set()
    )
    assert of_package(loaded, "aws") == FOR_THE_WATCH
    assert of_package(loaded) - {name for name in of_package(loaded) if "." in name} == {
        *("clock", "consent", "errors", "invocation", "key_id", "meter", "safe_log", "watch_app")
    }


def test_only_the_entry_point_knows_the_watch():
    known = {
        name for name in modules() if room_of(name) != "watch" for one in imports(name)[0] if room_of(one) == "watch"
    }

    assert known == {"watch_app"}


@pytest.mark.parametrize("module", sorted({*pure(), *for_the_tool_of_rooms()}))
def test_what_the_tool_may_load_keeps_to_the_syntax_of_python_3_11(module):
    ast.parse(modules()[module].read_text(), feature_version=(3, 11))


# ------------------------------------------------------------------------------------------------ the custodian's tool

NOT_OFFLINE = {*OF_AWS, "fastjsonschema"}
KNOW_BOTO3 = {"aws"}


def tool_modules():
    return {path.stem: path for path in sorted(TOOL.glob("*.py"))}


@cache
def tool_imports(module):
    """(modules of the tool, modules of the function, everything else) that a module of the tool imports."""
    own, function, other = set(), set(), set()
    for node in ast.walk(ast.parse(tool_modules()[module].read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports by relative name"
            top, _, inside = str(node.module).partition(".")
            names = {f"{inside}.{alias.name}".removeprefix(".") for alias in node.names}
            if top == TOOL.name:
                own |= {inside} if inside else names
            elif top == PACKAGE.name:
                function |= {inside} if inside in modules() else names
            else:
                other.add(top)
        elif isinstance(node, ast.Import):
            other |= {alias.name.split(".")[0] for alias in node.names}
    return own, function, other


def for_the_tool():
    """The tool comes without fastjsonschema, which the properties need."""
    return (set(pure()) | for_the_tool_of_rooms()) - {"properties"}


def test_the_tool_knows_what_is_pure_and_what_kms_shows():
    assert {name: strange for name in tool_modules() if (strange := tool_imports(name)[1] - for_the_tool())} == {}
    assert {name for module in tool_modules() for name in tool_imports(module)[1]} >= for_the_tool_of_rooms() - {
        "aws.cloudformation_reads"  # only the look needs it
    }


def test_of_the_tool_one_module_knows_boto3():
    assert {name for name in tool_modules() if tool_imports(name)[2] & set(OF_AWS)} == KNOW_BOTO3


def test_the_function_does_not_know_the_tool():
    assert {name for name in modules() if TOOL.name in imports(name)[1]} == set()


def test_no_import_of_the_tool_goes_in_a_circle():
    graph = {module: tool_imports(module)[0] for module in tool_modules()}
    TopologicalSorter(graph).prepare()


def test_no_command_loads_boto3_before_it_talks_to_aws():
    loaded = loaded_by(", ".join(f"{TOOL.name}.{name}" for name in tool_modules() if name != "__main__"))

    assert {name.split(".")[0] for name in loaded} & NOT_OFFLINE == set()


@pytest.mark.parametrize("module", sorted(path.stem for path in TOOL.glob("*.py")))
def test_the_tool_keeps_to_the_syntax_of_python_3_11(module):
    ast.parse(tool_modules()[module].read_text(), feature_version=(3, 11))


# cryptography's wheel serves every Python from 3.11 on, and click is Python: a 3.11 can load both from this environment.
FOR_3_11 = {
    "PATH": os.environ["PATH"],
    "PYENV_VERSION": "3.11",  # makes python3.11 work with pyenv
    "PYTHONPATH": os.pathsep.join(map(str, (PACKAGE.parent, REPOSITORY, sysconfig.get_path("purelib")))),
    "PYTHONDONTWRITEBYTECODE": "1",
}


@pytest.fixture(scope="module")
def on_python_3_11():
    """Runs a program there, with the tool and the function's modules to import; returns what it prints."""
    python = shutil.which("python3.11")
    ready = [python, "-c", "import cryptography.x509, click, sys; sys.exit(sys.version_info[:2] != (3, 11))"]
    if python is None or subprocess.run(ready, env=FOR_3_11, capture_output=True, check=False).returncode != 0:
        pytest.skip("there is no Python 3.11 here that could load cryptography and click")

    def run(*arguments, **more):
        done = subprocess.run([python, *arguments], env=FOR_3_11, capture_output=True, check=False, **more)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode()

    return run


def test_python_3_11_loads_the_whole_tool_and_nothing_of_boto3(on_python_3_11):
    names = [f"{TOOL.name}.{name}" for name in tool_modules() if name != "__main__"]
    names += [f"{PACKAGE.name}.{name}" for name in sorted(for_the_tool())]

    loaded = on_python_3_11("-c", f"import sys, {', '.join(names)}; print(sys.version_info[:2], *sys.modules)")

    assert loaded.startswith("(3, 11) ")
    assert {name.split(".")[0] for name in loaded.split()} & NOT_OFFLINE == set()


def test_python_3_11_runs_the_tool(on_python_3_11):
    shown = on_python_3_11(
        "-m", "key_custodian", "check", "-", "--key-spec", "HMAC_256", "--json", input=random_key(32)
    )

    assert json.loads(shown)["in_order"] is True


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
    named = [
        path
        for folder in ("key_custodian", "handler", "lint", "lab", "tools", "layers", "tests")
        for path in sources(folder)
    ]

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
