"""Runs of pytest that share a warm process: each sees the files as they are, and none exceeds its time limit."""

import signal

import pytest

from tests.support.warm_pytest import warm_pytest

SECONDS = 60

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("warm")


@pytest.fixture(scope="module")
def warm(folder):
    with warm_pytest(folder) as warm:
        yield warm


def run(warm, seconds=SECONDS):
    return warm.run("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_it.py", seconds=seconds)


def test_a_run_sees_the_files_as_they_are_now(folder, warm):
    (folder / "test_it.py").write_text("from it import IT\n\ndef test_it():\n    assert IT == 1\n")
    (folder / "it.py").write_text("IT = 1\n")
    before, said = run(warm)
    (folder / "it.py").write_text("IT = 1 + 1\n")

    after, said_after = run(warm)

    assert (before, after) == (0, 1)
    assert said.startswith("1 passed")
    assert said_after.startswith("1 failed")


def test_a_run_that_takes_too_long_is_ended(folder, warm):
    (folder / "test_it.py").write_text("import time\n\ndef test_it():\n    time.sleep(60)\n")

    assert run(warm, seconds=1) == (-signal.SIGALRM, "ended by SIGALRM")


def test_a_run_without_such_a_test_is_no_failure_of_a_test(folder, warm):
    (folder / "test_it.py").unlink(missing_ok=True)

    assert run(warm)[0] == pytest.ExitCode.USAGE_ERROR
