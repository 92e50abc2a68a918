"""However its users end, a local AWS leaves nothing: no process, no folder."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.local import places
from lab.local.locks import Use, Users
from lab.local.session import LocalAws, nothing
from lab.local.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

USER = """
import sys, time
from lab.local.session import LocalAws, nothing
with LocalAws.shared(sys.argv[1], nothing) as aws:
    print(aws.settings.endpoint_url, flush=True)
    sys.stdin.read()
"""
PATIENCE_SECONDS = 20


@pytest.fixture
def name():
    return f"ends-{secrets.token_hex(4)}"


def user(name):
    """Another process that uses the local AWS of this name: the process and the endpoint."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, name],
        cwd=places.REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def end(process):
    process.stdin.close()
    process.wait(PATIENCE_SECONDS)
    process.stdout.close()


def folder_of(name):
    return Path(tempfile.gettempdir()) / f"{places.TEMPORARY_PREFIX}{name}"


def processes_of(name):
    """Processes whose command line or environment names the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder_of(name)).encode() in text:
            found.append(int(process.name))
    return found


def wait_until_nothing_is_left(name):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (folder_of(name).exists() or processes_of(name)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not folder_of(name).exists()
    assert processes_of(name) == []


def test_users_share_it_and_the_last_one_ends_it(name):
    first, endpoint = user(name)
    second, same = user(name)
    assert same == endpoint

    end(first)
    assert len(processes_of(name)) >= 2  # the service, and MiniStack

    end(second)
    assert processes_of(name) == []
    assert not folder_of(name).exists()


def test_a_user_that_is_killed_uses_it_no_more(name):
    process, _endpoint = user(name)

    process.send_signal(signal.SIGKILL)
    end(process)

    wait_until_nothing_is_left(name)


def test_when_the_service_is_killed_ministack_ends(name):
    process, _endpoint = user(name)
    service = int((folder_of(name) / "service.pid").read_text())

    os.kill(service, signal.SIGKILL)

    deadline = time.monotonic() + PATIENCE_SECONDS
    while processes_of(name) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(name) == []
    end(process)
    assert not folder_of(name).exists()


def test_a_preparation_that_fails_ends_it(name):
    def fails(_settings):
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"), LocalAws.shared(name, fails):
        pass

    wait_until_nothing_is_left(name)


def test_it_listens_only_on_127_0_0_1(name):
    with LocalAws.shared(name, nothing) as aws:
        pids = processes_of(name)
        inodes = {link.readlink() for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists()}
        rows = [
            line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()
        ]
        listening = {row[1] for row in rows[1:] if row[3] == "0A" and Path(f"socket:[{row[9]}]") in inodes}

        port = int(aws.settings.endpoint_url.rpartition(":")[2])
        assert f"0100007F:{port:04X}" in listening
        assert {address.partition(":")[0] for address in listening} == {"0100007F"}
        assert "0100007F:01BB" not in listening  # 443, where plain MiniStack listens, too


def test_a_user_who_comes_while_it_ends_gets_a_new_one(tmp_path):
    folder = tmp_path / "shared"
    first = Use(folder)
    first.share()
    assert not Users(folder).are_gone()
    first.end()
    ending = Users(folder)
    assert ending.are_gone()

    with ThreadPoolExecutor(1) as pool:
        newcomer = pool.submit(Use, folder)  # waits for the lock
        time.sleep(0.2)
        assert not newcomer.done()
        places.remove_tree(folder)
        ending.end()

        use = newcomer.result(PATIENCE_SECONDS)
        assert use.first  # in a new folder: the lock of the removed folder has no effect
        assert folder.exists()
        use.end()


def test_settings_are_never_read_half(tmp_path):
    settings = Settings("https://127.0.0.1:1", "127.0.0.1:1", "/ca", str(tmp_path))
    settings.write(tmp_path)

    assert Settings.read(tmp_path) == settings
    assert json.loads((tmp_path / "settings.json").read_text())["endpoint_url"] == "https://127.0.0.1:1"
