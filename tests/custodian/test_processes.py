"""Every command as a separate process: it succeeds, refuses, or is called wrongly. The call within this process says the same.

Most other tests call the program within their own process (tests/support/called.py). These tests justify that.
"""

import re
from typing import NamedTuple

import pytest

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from key_custodian.cli import COMMANDS
from lab.keys.private_keys import rsa_key, spki_der
from lab.keys.random_keys import random_keys
from lab.program import Program
from tests.support.called import Called
from tests.support.online import Online

pytestmark = pytest.mark.slow

KEY, OTHER = random_keys(32, 2)
HMAC = ("--key-spec", "HMAC_256")
CHECK_VALUE, OF_OTHER = (check_value.compute(key_spec("HMAC_256", partition="aws"), key) for key in (KEY, OTHER))
TO_FILE = ("--wrapping-key", "transport.der", "--out", "wrapped.bin")
PARTS = ("--component", "key.bin", "--component", "other.bin", "--component-check-value", CHECK_VALUE)
SECRET = ("--secret", "orders/mac-key", "--stack", "orders", "--yes")
PAPER = ("--material", "key.bin", "--expected-check-value")


class Case(NamedTuple):
    arguments: tuple[str, ...]
    code: int
    new_files: tuple[str, ...] = ()


CASES = {
    "check": Case(("check", "key.bin", *HMAC), 0),
    "check, as JSON": Case(("check", "key.bin", *HMAC, "--json"), 0),
    "check, refused": Case(("check", "key.bin", "--key-spec", "HMAC_512"), 1),
    "check, a wrong call": Case(("check", "key.bin"), 2),
    "generate": Case(("generate", *HMAC, *TO_FILE), 0, ("wrapped.bin",)),
    "generate, refused": Case(("generate", *HMAC, "--wrapping-key", "key.bin", "--out", "wrapped.bin"), 1),
    "generate, a wrong call": Case(("generate", *HMAC), 2),
    "wrap": Case(("wrap", "key.bin", *HMAC, *TO_FILE), 0, ("wrapped.bin",)),
    "wrap, under a key in KMS": Case(
        ("wrap", "key.bin", *HMAC, "--wrapping-key", "alias/transport", "--out", "wrapped.bin"), 0, ("wrapped.bin",)
    ),
    "wrap, refused": Case(("wrap", "key.bin", "--key-spec", "RSA_2048", *TO_FILE), 1),
    "wrap, a wrong call": Case(("wrap", "key.bin", *HMAC), 2),
    "generate, a component": Case(("generate", "--component", *HMAC, "--out", "a.bin"), 0, ("a.bin",)),
    "generate, a component for nobody": Case(("generate", "--component", *HMAC), 1),
    "split": Case(("split", "key.bin", *HMAC, "--out", "a.bin", "--out", "b.bin"), 0, ("a.bin", "b.bin")),
    "split, refused": Case(("split", "key.bin", "--key-spec", "HMAC_512", "--out", "a.bin", "--out", "b.bin"), 1),
    "split, a wrong call": Case(("split", "key.bin", *HMAC, "--out", "a.bin"), 2),
    "combine": Case(("combine", *HMAC, *TO_FILE, *PARTS, "--component-check-value", OF_OTHER), 0, ("wrapped.bin",)),
    "combine, refused": Case(("combine", *HMAC, *TO_FILE, *PARTS, "--component-check-value", CHECK_VALUE), 1),
    "combine, a wrong call": Case(("combine", *HMAC, *TO_FILE, *PARTS), 2),
    "put": Case(("put", "key.bin", *HMAC, "--plaintext", *SECRET, "--version-id", "0" * 32), 0),
    "put, refused": Case(("put", "key.bin", "--key-spec", "HMAC_512", "--plaintext", *SECRET), 1),
    "put, a wrong call": Case(("put", "key.bin", *SECRET), 2),
    "put, with nobody to ask": Case(("put", "key.bin", *HMAC, "--plaintext", *SECRET[:-1]), 2),
    "verify": Case(("verify", "KEY", *PAPER, CHECK_VALUE, "--out", "receipt.json"), 0, ("receipt.json",)),
    "verify, refused": Case(("verify", "KEY", *PAPER, OF_OTHER), 1),
    "verify, a wrong call": Case(("verify", "KEY"), 2),
    "inventory": Case(("inventory",), 0),
    "inventory, as CSV": Case(("inventory", "--format", "csv", "--region", "eu-central-1"), 0),
    "inventory, refused": Case(("inventory", "--profile", "nobody"), 1),
    "inventory, a wrong call": Case(("inventory", "--region", "here"), 2),
}


def said(folder, program, arguments):
    """The text without what differs each time: hex, ids, times, the port."""
    folder.mkdir()
    (folder / "transport.der").write_bytes(spki_der(rsa_key(2048)))
    with Online(folder, program=program) as bank:
        bank.file("key.bin", KEY)
        bank.file("other.bin", OTHER)
        names = {"KEY": bank.external_key("HMAC_256", KEY)}
        bank.transport_key()
        done = bank.run(*(names.get(one, one) for one in arguments))
    made = {path.name for path in folder.iterdir()} - {"transport.der", "key.bin", "other.bin"}
    return done.code, alike(done.text), alike(done.err), made


def alike(text):
    return re.sub(r"[0-9A-Fa-f-]{10,}|T\d\d:\d\d:\d\dZ|127\.0\.0\.1:\d+|-[A-Za-z0-9]{6}\b", "#", text)


@pytest.mark.parametrize("name", CASES)
def test_a_process_and_the_call_within_this_process_say_the_same(tmp_path, name):
    case = CASES[name]

    as_process = said(tmp_path / "process", Program, case.arguments)

    assert as_process == said(tmp_path / "called", Called, case.arguments)
    code, out, err, made = as_process
    assert (code, made) == (case.code, set(case.new_files))
    assert bool(out) is (code == 0)
    assert bool(err) is (
        code != 0 or (case.arguments[0] not in {"check", "split", "verify"} and "--component" not in case.arguments[:2])
    )


def test_no_command_is_left_out():
    cases = [(case.arguments[0], case.code) for case in CASES.values()]

    assert set(cases) >= {(command, code) for command in COMMANDS for code in (0, 1, 2)}
