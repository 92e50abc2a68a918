"""What a failure leaves behind: nothing. The rights of what is written, and terminals that would show bytes."""

import stat
import subprocess
import sys

import pytest

from custodian import writing
from imported_key_material.errors import Refused
from tests.support.random_keys import random_key

KEY = random_key(32)
WRAP = ("wrap", "key.bin", "--key-spec", "HMAC_256", "--wrapping-key", "transport.pem", "--out", "wrapped.bin")


@pytest.mark.usefixtures("transport")
def test_a_disk_that_is_full_leaves_nothing(custodian, put_file, tmp_path):
    put_file("key.bin", KEY)
    limited = f"import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); {_RUN}"

    done = subprocess.run(
        [sys.executable, "-c", limited, *WRAP], cwd=tmp_path, env=custodian._env(), capture_output=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().endswith(
        "--out: wrapped.bin could not be written: File too large. Nothing is left of it. Name another place.\n"
    )
    assert not (tmp_path / "wrapped.bin").exists()


_RUN = "runpy.run_module('custodian', run_name='__main__')"


def test_a_generous_umask_changes_nothing(custodian, put_file, transport, tmp_path):
    put_file("key.bin", KEY)
    generous = f"import os, runpy; os.umask(0); {_RUN}"

    subprocess.run(
        [sys.executable, "-c", generous, *WRAP],
        cwd=transport.parent,
        env=custodian._env(),
        capture_output=True,
        check=True,
    )

    assert stat.S_IMODE((tmp_path / "wrapped.bin").stat().st_mode) == 0o600


def test_a_crash_would_leave_no_core_dump(custodian, put_file, tmp_path):
    put_file("key.bin", KEY)
    crashing = f"import os, resource, runpy\ntry: {_RUN}\nfinally: print(resource.getrlimit(resource.RLIMIT_CORE))"
    check = ("check", "key.bin", "--key-spec", "HMAC_256")

    done = subprocess.run(
        [sys.executable, "-c", crashing, *check], cwd=tmp_path, env=custodian._env(), capture_output=True, check=True
    )

    assert done.stdout.endswith(b"\n(0, 0)\n")


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
