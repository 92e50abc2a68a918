"""When the application is built: not while somebody else may read what is current."""

import os

import pytest

from lab.local import deploy, places

THEN = 1_700_000_000.0


@pytest.fixture
def tree(tmp_path):
    """Sources, and what was built a second after them."""
    for name, second in {
        "code/app.py": 0,
        "code/inner/more.py": 0,
        "template.yaml": 0,
        "built/template.yaml": 1,
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (THEN, THEN + second))
    return tmp_path


def is_current(tree):
    return deploy.is_current(tree / "built" / "template.yaml", [tree / "template.yaml", tree / "code"])


def test_what_is_younger_than_all_sources_is_current(tree):
    assert is_current(tree)


@pytest.mark.parametrize("changed", ["template.yaml", "code/inner/more.py", "code/new.py"])
def test_a_source_that_changed_since_makes_it_old(tree, changed):
    (tree / changed).touch()

    assert not is_current(tree)


def test_what_was_never_built_is_not_current(tree):
    (tree / "built" / "template.yaml").unlink()

    assert not is_current(tree)


def test_bytecode_is_no_source(tree):
    (tree / "code" / "__pycache__").mkdir()
    (tree / "code" / "__pycache__" / "app.cpython-313.pyc").touch()

    assert is_current(tree)


def test_what_is_current_is_not_built_again(monkeypatch):
    asked = []
    monkeypatch.setattr(deploy, "is_current", lambda written, sources: asked.append((written, list(sources))) or True)
    monkeypatch.setattr(deploy, "run_sam", lambda *_: pytest.fail("it was built again"))

    deploy.build()

    ((written, sources),) = asked
    assert written == places.BUILT / "template.yaml"
    assert {source.name for source in sources} == {"template.yaml", "samconfig.toml", "handler", "layers"}
    assert all(source.exists() for source in sources)


def test_what_is_old_is_built(monkeypatch):
    ran = []
    monkeypatch.setattr(deploy, "is_current", lambda *_: False)
    monkeypatch.setattr(deploy, "run_sam", lambda arguments, *_: ran.append(arguments))

    deploy.build()

    assert ran == [["build"]]
