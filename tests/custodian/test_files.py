"""What a failure leaves behind: nothing. The rights of what is written, and terminals that would show bytes."""

import errno
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from custodian import writing
from imported_key_material.errors import Refused
from lab.keys.random_keys import random_key

KEY = random_key(32)
WRAP = ("wrap", "key.bin", "--key-spec", "HMAC_256", "--wrapping-key", "transport.pem", "--out", "wrapped.bin")


@pytest.mark.usefixtures("transport")
def test_a_disk_that_is_full_leaves_nothing(custodian_process, put_file, tmp_path):
    put_file("key.bin", KEY)
    limited = f"import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); {_RUN}"

    done = subprocess.run(
        [sys.executable, "-c", limited, *WRAP],
        cwd=tmp_path,
        env=custodian_process._env(),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().endswith(
        "--out: wrapped.bin could not be written: File too large. Nothing is left of it. Name another place.\n"
    )
    assert not (tmp_path / "wrapped.bin").exists()


_RUN = "runpy.run_module('custodian', run_name='__main__')"


def test_a_generous_umask_changes_nothing(custodian_process, put_file, transport, tmp_path):
    put_file("key.bin", KEY)
    generous = f"import os, runpy; os.umask(0); {_RUN}"

    subprocess.run(
        [sys.executable, "-c", generous, *WRAP],
        cwd=transport.parent,
        env=custodian_process._env(),
        capture_output=True,
        check=True,
    )

    assert stat.S_IMODE((tmp_path / "wrapped.bin").stat().st_mode) == 0o600


PR_GET_DUMPABLE = 3  # linux/prctl.h
_ASK = "(*resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))".replace(
    "PR_GET_DUMPABLE", str(PR_GET_DUMPABLE)
)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_crash_would_leave_no_core_dump_and_no_debugger_gets_in(custodian_process, put_file, tmp_path):
    """The limit holds for files alone (core(5)); a process that is not dumpable gives no core to a program either."""
    put_file("key.bin", KEY)
    crashing = f"import ctypes, os, resource, runpy\nprint({_ASK})\ntry: {_RUN}\nfinally: print({_ASK})"
    check = ("check", "key.bin", "--key-spec", "HMAC_256")

    done = subprocess.run(
        [sys.executable, "-c", crashing, *check],
        cwd=tmp_path,
        env=custodian_process._env(),
        capture_output=True,
        check=True,
    )

    before, *_, after = done.stdout.decode().splitlines()
    assert (before.endswith(", 1)"), after) == (True, "(0, 0, 0)")


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="the system has no /dev/fd")
def test_what_a_shell_gives_as_a_file_can_still_be_read(custodian_process, put_file, tmp_path):
    """`custodian check <(...)`: of a process that is not dumpable, /proc belongs to root."""
    put_file("key.bin", KEY)
    with (tmp_path / "key.bin").open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "custodian", "check", f"/dev/fd/{file.fileno()}", "--key-spec", "HMAC_256"],
            cwd=tmp_path,
            env=custodian_process._env(),
            pass_fds=[file.fileno()],
            capture_output=True,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, "")


def test_whatever_breaks_off_the_writing_the_file_goes(tmp_path, monkeypatch):
    def interrupted(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing.os, "fsync", interrupted)

    with pytest.raises(KeyboardInterrupt):
        writing.write_new(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_came_in_between_is_not_touched(tmp_path, monkeypatch):
    path = tmp_path / "wrapped.bin"
    path.write_bytes(b"another's")
    monkeypatch.setattr(writing, "require_writable", lambda _out, where: where)

    with pytest.raises(Refused) as refused:
        writing.write_new(str(path), b"wrapped", where="--out")

    assert str(refused.value) == (
        f"--out: {path} could not be written: File exists. Nothing is left of it. Name another place."
    )
    assert path.read_bytes() == b"another's"


# --------------------------------------------------------------------------------------------------------- in the middle of it


@contextmanager
def in_the_middle(custodian_process, put_file):
    """The tool as it has written all, and the file does not bear its name yet."""
    put_file("key.bin", KEY)
    stalling = f"import os, runpy, time\nos.fsync = lambda _: (print('now', flush=True), time.sleep(60))\n{_RUN}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(
        [sys.executable, "-c", stalling, *WRAP], cwd=custodian_process.folder, env=custodian_process._env(), **pipes
    )
    with process:
        try:
            assert process.stdout.readline() == b"now\n"
            yield process
        finally:
            process.kill()


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_who_asks_it_to_end_finds_no_file_at_all(custodian_process, put_file, tmp_path, asked):
    with in_the_middle(custodian_process, put_file) as process:
        process.send_signal(asked)
        _, err = process.communicate(timeout=30)

    assert (process.returncode, err.decode().splitlines()[-1]) == (1, "Aborted!")
    assert {path.name for path in tmp_path.iterdir()} == {"key.bin", "transport.pem"}


@pytest.mark.usefixtures("transport")
def test_who_kills_it_finds_no_file_of_the_name_and_the_rest_is_its_owner_s_alone(
    custodian_process, put_file, tmp_path
):
    with in_the_middle(custodian_process, put_file) as process:
        process.kill()

    (rest,) = tmp_path.glob(".custodian-*.partial")
    assert {path.name for path in tmp_path.iterdir()} == {"key.bin", "transport.pem", rest.name}
    assert stat.S_IMODE(rest.stat().st_mode) == 0o600


@pytest.fixture
def no_hard_links(monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(writing.os, "link", refuse)


@pytest.mark.usefixtures("no_hard_links")
def test_a_disk_without_hard_links_takes_it_all_the_same(tmp_path):
    path = tmp_path / "wrapped.bin"

    writing.write_new(str(path), b"wrapped", where="--out")

    assert path.read_bytes() == b"wrapped"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("no_hard_links")
def test_on_a_disk_without_hard_links_a_file_that_came_in_between_is_not_touched(tmp_path, monkeypatch):
    test_a_file_that_came_in_between_is_not_touched(tmp_path, monkeypatch)


@pytest.mark.usefixtures("no_hard_links")
@pytest.mark.parametrize(
    ("broken_off", "ends_with"),
    [(OSError(28, "No space left on device"), Refused), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_on_a_disk_without_hard_links_the_name_that_was_taken_is_given_back(
    tmp_path, monkeypatch, broken_off, ends_with
):
    def replace(*_):
        raise broken_off

    monkeypatch.setattr(writing.Path, "replace", replace)

    with pytest.raises(ends_with):
        writing.write_new(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    assert list(tmp_path.iterdir()) == []


def test_while_it_is_written_nothing_bears_the_name(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(writing.os, "fsync", lambda _: seen.append([path.name for path in tmp_path.iterdir()]))

    writing.write_new(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    (partial,) = seen[0]
    assert partial.startswith(".custodian-")
    assert list(tmp_path.iterdir()) == [tmp_path / "wrapped.bin"]


# ------------------------------------------------------------------------------------------------------------- on the disk


@pytest.fixture
def at_fsync(tmp_path, monkeypatch):
    """What is asked to go to the disk (`of`): "file", or for the folder the names in it. `fails`: the folder's error."""
    asked, real = SimpleNamespace(of=[], fails=None), os.fsync

    def fsync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        asked.of.append([path.name for path in tmp_path.iterdir()] if is_folder else "file")
        if is_folder and asked.fails is not None:
            raise asked.fails
        real(descriptor)

    monkeypatch.setattr(writing.os, "fsync", fsync)
    return asked


@pytest.mark.parametrize("links", [True, False])
def test_the_name_is_on_the_disk_too_before_it_is_told_as_written(tmp_path, at_fsync, request, links):
    if not links:
        request.getfixturevalue("no_hard_links")

    writing.write_new(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    assert at_fsync.of == ["file", ["wrapped.bin"]]


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_keeps_no_folder_on_demand_takes_it_all_the_same(tmp_path, at_fsync, error):
    at_fsync.fails = OSError(error, "no such call here")

    writing.write_new(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    assert (tmp_path / "wrapped.bin").read_bytes() == b"wrapped"


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_a_name_that_is_not_on_the_disk_is_taken_back(tmp_path, at_fsync, error):
    at_fsync.fails = error

    with pytest.raises((Refused, KeyboardInterrupt)) as ended:
        writing.write_new(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    assert list(tmp_path.iterdir()) == []
    if isinstance(error, OSError):
        assert str(ended.value).endswith(
            "could not be written: Input/output error. Nothing is left of it. Name another place."
        )


def test_a_folder_that_may_not_be_read_takes_it_all_the_same(tmp_path, monkeypatch):
    real = os.open

    def refuse_the_folder(path, *more):
        if path == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *more)

    monkeypatch.setattr(writing.os, "open", refuse_the_folder)

    writing.write_new(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    assert (tmp_path / "wrapped.bin").read_bytes() == b"wrapped"


@pytest.mark.usefixtures("transport")
def test_a_report_that_nobody_reads_ends_with_1_and_the_file_is_whole(custodian_process, put_file, tmp_path):
    """The one case where exit code 1 leaves a new file: it was whole when its report could not be printed."""
    put_file("key.bin", KEY)
    reading, writing_ = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-m", "custodian", *WRAP],
        cwd=tmp_path,
        env=custodian_process._env(),
        stdout=writing_,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing_)

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert len((tmp_path / "wrapped.bin").read_bytes()) == 256
