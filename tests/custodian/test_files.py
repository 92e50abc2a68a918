"""A failure leaves nothing behind. The files' access rights, and terminals that would show bytes."""

import errno
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from imported_key_material.errors import Refused
from key_custodian import new_file
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


_RUN = "runpy.run_module('key_custodian', run_name='__main__')"


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
    """The limit is only for files (core(5)); a process that is not dumpable gives no core to a program either."""
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
    """`key-custodian check <(...)`: /proc of a process that is not dumpable belongs to root."""
    put_file("key.bin", KEY)
    with (tmp_path / "key.bin").open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "key_custodian", "check", f"/dev/fd/{file.fileno()}", "--key-spec", "HMAC_256"],
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

    monkeypatch.setattr(new_file.os, "fsync", interrupted)

    with pytest.raises(KeyboardInterrupt):
        new_file.write(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_came_in_between_is_not_touched(tmp_path, monkeypatch):
    path = tmp_path / "wrapped.bin"
    path.write_bytes(b"another's")
    monkeypatch.setattr(new_file, "require_writable", lambda _out, where: where)

    with pytest.raises(Refused) as refused:
        new_file.write(str(path), b"wrapped", where="--out")

    assert str(refused.value) == (
        f"--out: {path} could not be written: File exists. Nothing is left of it. Name another place."
    )
    assert path.read_bytes() == b"another's"


def test_a_link_that_came_in_between_leads_nowhere(tmp_path, monkeypatch):
    path, elsewhere = tmp_path / "wrapped.bin", tmp_path / "elsewhere"
    path.symlink_to(elsewhere)
    monkeypatch.setattr(new_file, "require_writable", lambda _out, where: where)

    with pytest.raises(Refused, match="could not be written: File exists"):
        new_file.write(str(path), b"wrapped", where="--out")

    assert (path.is_symlink(), elsewhere.exists()) == (True, False)


# --------------------------------------------------------------------------------------------------------- in the middle of it


@contextmanager
def in_the_middle(custodian_process, put_file):
    """The tool has written everything, but the bytes are not on the disk yet."""
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
def test_who_kills_it_finds_what_was_written_for_its_owner_only(custodian_process, put_file, tmp_path):
    with in_the_middle(custodian_process, put_file) as process:
        process.kill()

    assert {path.name for path in tmp_path.iterdir()} == {"key.bin", "transport.pem", "wrapped.bin"}
    assert stat.S_IMODE((tmp_path / "wrapped.bin").stat().st_mode) == 0o600


# ------------------------------------------------------------------------------------------------------------- on the disk


def test_the_bytes_are_on_the_disk_before_the_file_is_reported_as_written(tmp_path, monkeypatch):
    path, on_disk = tmp_path / "wrapped.bin", []
    monkeypatch.setattr(new_file.os, "fsync", lambda _descriptor: on_disk.append(path.read_bytes()))

    new_file.write(str(path), b"wrapped", where="--out")

    assert on_disk == [b"wrapped"]


def test_bytes_that_do_not_reach_the_disk_leave_no_file(tmp_path, monkeypatch):
    def broken(_descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(new_file.os, "fsync", broken)

    with pytest.raises(Refused) as refused:
        new_file.write(str(tmp_path / "wrapped.bin"), b"wrapped", where="--out")

    assert str(refused.value).endswith(
        "could not be written: Input/output error. Nothing is left of it. Name another place."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("transport")
def test_a_report_that_nobody_reads_ends_with_1_and_the_file_is_whole(custodian_process, put_file, tmp_path):
    """Only here exit code 1 leaves a new file: it was complete before its report could not be printed."""
    put_file("key.bin", KEY)
    reading, writing_ = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-m", "key_custodian", *WRAP],
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
