"""`key-custodian generate --component` and `split`: what the holder sees, what is written, and that combine takes it."""

import contextlib
import hashlib
import io
import json
import os
import pty
import re
import select
import signal
import stat
import sys
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imported_key_material.errors import Refused
from imported_key_material.material import check_value, material_check
from imported_key_material.material.key_specs import KEY_SPECS
from key_custodian import components, new_components
from lab.keys.by_hand import unwrap
from lab.keys.canaries import Canaries
from lab.keys.private_keys import rsa_key
from lab.keys.random_keys import random_key, random_keys
from lab.program import CLEAR, check_values_in

AES = KEY_SPECS["SYMMETRIC_DEFAULT"]
SPECS = components.SECRET_KEYS
KEY = random_key(32)
ERASED = "Then press Enter: the screen is erased "
OWN_SCREEN, USUAL_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
GENERATE = ("generate", "--component", "--key-spec", "SYMMETRIC_DEFAULT")
SPLIT = ("split", "key.bin", "--key-spec", "SYMMETRIC_DEFAULT")


def xor(*values):
    return reduce(lambda left, right: bytes(a ^ b for a, b in zip(left, right, strict=True)), values)


def on_screen(value, spec=AES):
    return " or ".join(check_value.compute_all(spec, value))


def shown_in(screen):
    """The component that a holder copies from a screen."""
    return bytes.fromhex("".join(re.findall(r"^ {4}([0-9A-F ]+)$", screen, re.MULTILINE)))


def combined(custodian, folder, files, spec="SYMMETRIC_DEFAULT", *arguments):
    """The key that combine makes of files, as KMS opens it."""
    values = [check_value.compute(KEY_SPECS[spec], (folder / name).read_bytes()) for name in files]
    sources = [word for name in files for word in ("--component", name)]
    compared = [word for value in values for word in ("--component-check-value", value)]
    to = ("--wrapping-key", "transport.pem", "--out", "wrapped.bin")
    done = custodian.run("combine", "--key-spec", spec, *to, *sources, *compared, *arguments)
    assert done.code == 0, done.err
    return unwrap("RSAES_OAEP_SHA_256", rsa_key(2048), (folder / "wrapped.bin").read_bytes())


# ----------------------------------------------------------------------------------------------------------------- algebra


def of_size(size_bytes):
    """Any bytes that no check takes for a pattern or a text."""
    return st.binary(max_size=16).map(lambda seed: hashlib.sha512(seed).digest()[:size_bytes])


@st.composite
def split_keys(draw, keys=1):
    """(key spec, keys, all components but one), all of one length, no two alike."""
    spec = KEY_SPECS[draw(st.sampled_from(SPECS))]
    others = draw(st.integers(components.FEWEST - 1, components.MOST - 1))
    values = draw(st.lists(of_size(spec.form.size_bytes), min_size=others + keys, max_size=others + keys, unique=True))
    return spec, values[:keys], values[keys:]


def parts_of(spec, key, draws):
    """The components of a key, with these values of the random generator."""
    left = iter(draws)
    checked = material_check.check(key, spec)
    return [
        bytes(one.encoded)
        for one in new_components.split(checked, len(draws) + 1, random_bytes=lambda _size_bytes: next(left))
    ]


def key_of(spec, parts):
    checked = [material_check.check(one, spec) for one in parts]
    return bytes(components.combine(spec, checked, expected_check_value=None).encoded)


@given(split_keys(), st.data())
def test_for_any_key_and_all_components_but_the_last_exactly_one_last_component_fits(case, data):
    spec, [key], others = case
    parts = parts_of(spec, key, others)
    another = data.draw(of_size(spec.form.size_bytes).filter(lambda value: value != parts[-1]))

    assert parts[:-1] == others
    assert key_of(spec, parts) == key
    with contextlib.suppress(Refused):  # another component may cancel out the others
        assert key_of(spec, [*others, another]) != key


@given(split_keys(keys=2), st.data())
def test_whichever_component_is_missing_the_others_fit_every_key(case, data):
    """Each key gives these components for exactly one outcome of the random generator, so they say nothing about the key."""
    spec, keys, held = case
    missing = data.draw(st.integers(0, len(held)))

    for key in keys:
        needed = xor(key, *held)
        draws = [*held[:missing], needed, *held[missing:]][:-1]
        parts = parts_of(spec, key, draws)
        assert parts[:missing] + parts[missing + 1 :] == held
        assert parts[missing] == needed


def test_the_random_components_are_new_each_time():
    checked = material_check.check(KEY, AES)

    made = {bytes(one.encoded) for _ in range(20) for one in new_components.split(checked, 3)}

    assert len(made) == 60


# -------------------------------------------------------------------------------------------------------------- generate


def test_a_holder_copies_the_component_from_a_screen_that_is_erased(custodian):
    with custodian.at_terminal(*GENERATE) as terminal:
        terminal.waits_for(ERASED)
        terminal.types("")
        assert terminal.ends() == 0

    opened, screen, rest = terminal.screens
    component = shown_in(screen)
    groups = re.sub("(....)", r"\1 ", component.hex().upper()).split()
    assert (opened, len(component)) == (OWN_SCREEN, 32)
    assert screen.replace("\n\n", "\n").splitlines() == [
        "Component of a SYMMETRIC_DEFAULT key. Only its holder is at the screen.",
        *(f"    {' '.join(groups[at : at + 4])}" for at in range(0, 16, 4)),
        f"Its check value: {on_screen(component)}",
        f"Copy both onto paper. {ERASED}",
    ]
    first, second = check_value.compute_all(AES, component)
    assert rest == (
        f"{USUAL_SCREEN}Key spec:          SYMMETRIC_DEFAULT\n"
        "Component:         32 bytes\n"
        f"Check value:       {first}\n"
        f"                   {second}\n"
    )
    assert list(custodian.folder.iterdir()) == []


def test_what_is_typed_while_the_program_starts_does_not_erase_the_component(custodian):
    with custodian.at_terminal(*GENERATE) as terminal:
        terminal.types("\n\n")
        terminal.waits_for(ERASED)
        terminal.presses(b"\x03")  # a program that waits is interrupted
        assert terminal.ends() == 1

    assert len(shown_in(terminal.screens[1])) == 32


@pytest.mark.usefixtures("transport")
def test_what_two_holders_copied_is_what_combine_joins(custodian, tmp_path):
    components_on_paper = []
    for _ in range(2):
        with custodian.at_terminal(*GENERATE) as terminal:
            terminal.waits_for(ERASED)
            terminal.types("")
            terminal.ends()
        components_on_paper.append(terminal.screens[1])

    to = ("--wrapping-key", "transport.pem", "--out", "wrapped.bin")
    with custodian.at_terminal("combine", "--key-spec", "SYMMETRIC_DEFAULT", *to) as terminal:
        for screen in components_on_paper:
            terminal.waits_for("(is not shown): ")
            terminal.types(" ".join(re.findall(r"^ {4}([0-9A-F ]+)$", screen, re.MULTILINE)))  # in its groups
            (line,) = re.findall(r"^Its check value: (.+)$", screen, re.MULTILINE)
            terminal.waits_for(f": {line}\n")  # the same text for the holder to compare
            terminal.waits_for("[y/N]: ")
            terminal.types("y")
        assert terminal.ends() == 0

    opened = unwrap("RSAES_OAEP_SHA_256", rsa_key(2048), (tmp_path / "wrapped.bin").read_bytes())
    assert opened == xor(*map(shown_in, components_on_paper))


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.usefixtures("transport")
def test_files_of_components_are_what_combine_joins(custodian, tmp_path, spec):
    names = ["a.bin", "b.bin", "c.bin"]
    for name in names:
        done = custodian.run("generate", "--component", "--key-spec", spec, "--out", name, "--json")
        value = (tmp_path / name).read_bytes()
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out) == {
            "key_spec": spec,
            "component_bytes": KEY_SPECS[spec].form.size_bytes,
            "check_values": list(check_value.compute_all(KEY_SPECS[spec], value)),
            "file": name,
        }
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600

    assert combined(custodian, tmp_path, names, spec) == xor(*((tmp_path / name).read_bytes() for name in names))


def test_a_component_goes_through_a_pipe_and_its_report_to_stderr(custodian):
    done = custodian.run(*GENERATE, "--out", "-")

    assert (done.code, len(done.out)) == (0, 32)
    assert done.err.startswith(
        "Key spec:          SYMMETRIC_DEFAULT\nComponent:         32 bytes\nCheck value:       CMAC:"
    )


ONLY_ERASED = "and a component is shown only on a screen that is erased afterwards."
OR_FILES = "or name a new file for each component with --out.\n"


def no_terminal(name):
    return f"standard {name}: It is no terminal, {ONLY_ERASED} Use a terminal without pipes, {OR_FILES}"


@pytest.mark.parametrize("arguments", [GENERATE, SPLIT, (*SPLIT, "--components", "3")])
def test_what_can_not_be_erased_is_not_shown(custodian, put_file, arguments):
    put_file("key.bin", KEY)

    done = custodian.run(*arguments)

    assert (done.code, done.out) == (1, b"")
    assert done.err == no_terminal("input")


@pytest.mark.parametrize("arguments", [GENERATE, SPLIT])
def test_nor_is_it_shown_where_only_standard_output_goes_elsewhere(custodian, put_file, tmp_path, arguments):
    """A person at the terminal had written `> component.txt`."""
    put_file("key.bin", KEY)
    with (
        (tmp_path / "component.txt").open("wb") as file,
        custodian.at_terminal(*arguments, stdout=file.fileno()) as terminal,
    ):
        assert terminal.ends() == 1

    assert terminal.transcript == no_terminal("output")
    assert (tmp_path / "component.txt").read_bytes() == b""


@pytest.mark.parametrize("term", ["dumb", ""])
def test_nor_on_a_terminal_that_can_not_erase_its_screen(custodian, tmp_path, term):
    simple = type(custodian)(tmp_path, {"TERM": term})
    with simple.at_terminal(*GENERATE) as terminal:
        assert terminal.ends() == 1

    assert terminal.transcript == (f"TERM: This terminal can't erase its screen, {ONLY_ERASED} Use another, {OR_FILES}")


@pytest.mark.parametrize("how", ["Ctrl-C", "Ctrl-D", "Ctrl-\\", "SIGTERM", "SIGHUP"])
def test_the_screen_is_erased_however_it_ends(custodian_process, how):
    keys = {"Ctrl-C": b"\x03", "Ctrl-D": b"\x04", "Ctrl-\\": b"\x1c"}
    with custodian_process.at_terminal(*GENERATE) as terminal:
        terminal.waits_for(ERASED)
        if how in keys:
            terminal.presses(keys[how])
        else:
            terminal.signals(signal.Signals[how])
        assert terminal.ends() == 1

    assert terminal.transcript.count(CLEAR + USUAL_SCREEN) == 1
    assert shown_in(terminal.screens[1])
    assert terminal.screens[2].removeprefix(USUAL_SCREEN).strip() == "Aborted!"


def test_ctrl_z_does_not_bring_the_shell_back_to_a_screen_with_a_component(custodian_process, put_file):
    """The kernel itself ignores Ctrl-Z here, since no shell is there to come back."""
    put_file("key.bin", KEY)
    with custodian_process.at_terminal(*SPLIT) as terminal:
        terminal.waits_for("Type 1 to see it: ")
        before = terminal.ignores(signal.SIGTSTP)
        terminal.types("1")
        terminal.waits_for(ERASED)
        during = terminal.ignores(signal.SIGTSTP)
        terminal.types("")
        terminal.waits_for("Type 2 to see it: ")
        assert (before, during, terminal.ignores(signal.SIGTSTP)) == (False, True, False)


def test_a_component_is_only_on_standard_output(monkeypatch, capsys):
    checked = material_check.check(KEY, AES)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))

    new_components.show(checked, "component")

    printed = capsys.readouterr()
    assert shown_in(printed.out) == KEY
    assert Canaries(component=KEY).found_in(printed.err) == {}
    assert printed.err.strip().startswith("Copy both onto paper.")


@pytest.mark.parametrize("arguments", [GENERATE, SPLIT])
def test_a_component_is_not_shown_at_another_terminal(custodian_process, put_file, arguments):
    """A person at the terminal had written `> /dev/pts/7`."""
    put_file("key.bin", KEY)
    ours, its = pty.openpty()
    try:
        with custodian_process.at_terminal(*arguments, stdout=its) as terminal:
            assert terminal.ends() == 1
        assert select.select([ours], [], [], 0)[0] == []
    finally:
        os.close(its)
        os.close(ours)

    assert terminal.transcript == (
        "standard output: It is another terminal than standard input, and a component is shown only where its holder sits. "
        f"Use one terminal, {OR_FILES}"
    )


@pytest.mark.parametrize("arguments", [GENERATE, SPLIT])
def test_a_window_that_would_hide_digits_is_refused(custodian_process, put_file, arguments):
    put_file("key.bin", KEY)
    with custodian_process.at_terminal(*arguments, rows=10) as terminal:
        assert terminal.ends() == 1

    assert terminal.transcript == (
        f"the window: It has 10 lines, and the component needs 11. Make the window larger, {OR_FILES}"
    )


@pytest.mark.parametrize(("rows", "columns", "fits"), [(11, 80, True), (13, 40, False), (14, 40, True), (0, 0, True)])
def test_a_narrow_window_needs_more_lines(monkeypatch, rows, columns, fits):
    """In 40 columns three of the lines take two; 0 is a terminal that does not know its size."""
    monkeypatch.setattr("os.get_terminal_size", lambda _descriptor: os.terminal_size((columns, rows)))
    monkeypatch.setattr("sys.stdout", sys.__stdout__)

    with contextlib.nullcontext() if fits else pytest.raises(Refused):
        new_components.require_room(AES, 32, "component")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--key-spec", "RSA_2048"), f"--component is for {', '.join(SPECS)}: a private key has no components."),
        (
            ("--key-spec", "HMAC_256", "--wrapping-key", "transport.pem"),
            "--component does not go with --wrapping-key: a component goes on paper, or to --out.",
        ),
        (
            ("--key-spec", "HMAC_256", "--out", "a.bin", "--region", "eu-central-1"),
            "--component does not go with --region: a component goes on paper, or to --out.",
        ),
        (
            ("--key-spec", "HMAC_256", "--plaintext-out", "a.bin"),
            "--component does not go with --plaintext-out: a component goes on paper, or to --out.",
        ),
    ],
)
def test_a_component_is_not_wrapped(custodian, arguments, error):
    done = custodian.run("generate", "--component", *arguments)

    assert (done.code, done.out) == (2, b"")
    assert done.err.endswith(f"\nError: {error}\n")
    assert list(custodian.folder.iterdir()) == []


def test_a_component_overwrites_nothing(custodian, put_file, tmp_path):
    put_file("a.bin", b"there")

    done = custodian.run(*GENERATE, "--out", "a.bin")

    assert (done.code, done.out) == (1, b"")
    assert done.err == "--out: a.bin exists, and no file is ever overwritten. Name another, or move this one away.\n"
    assert (tmp_path / "a.bin").read_bytes() == b"there"


# ----------------------------------------------------------------------------------------------------------------- split


def test_holders_come_to_the_screen_one_after_the_other(custodian, put_file):
    put_file("key.bin", KEY)
    with custodian.at_terminal(*SPLIT, "--components", "3") as terminal:
        for number in (1, 2, 3):
            terminal.waits_for(f"Next is component {number} of 3. Only its holder stays at the screen. ")
            terminal.waits_for(f"Type {number} to see it: ")
            terminal.types(str(number))
            terminal.waits_for(f"Component {number} of 3 of a SYMMETRIC_DEFAULT key.")
            terminal.waits_for(ERASED)
            terminal.types("")
        assert terminal.ends() == 0

    shown = [shown_in(screen) for screen in terminal.screens]
    made = [one for one in shown if one]
    assert [len(one) for one in shown] == [0, 32, 0, 32, 0, 32, 0]  # a screen of its own for each
    assert xor(*made) == KEY
    for screen, component in zip(terminal.screens[1::2], made, strict=True):
        assert check_values_in(screen) == set(check_value.compute_all(AES, component))
    first, second = check_value.compute_all(AES, KEY)
    assert terminal.screens[-1] == (
        f"{USUAL_SCREEN}Key spec:          SYMMETRIC_DEFAULT\n"
        "Material:          32 bytes, valid\n"
        f"Check value:       {first}\n"
        f"                   {second}\n"
        + "".join(f"Component {number}:       {on_screen(one)}\n" for number, one in enumerate(made, start=1))
    )
    assert [path.name for path in custodian.folder.iterdir()] == ["key.bin"]


def test_one_enter_too_many_does_not_show_the_next_component(custodian, put_file):
    put_file("key.bin", KEY)
    with custodian.at_terminal(*SPLIT) as terminal:
        terminal.waits_for("Type 1 to see it: ")
        terminal.types("1")
        terminal.waits_for(ERASED)
        terminal.types("\n")  # the second one waits in the terminal
        terminal.waits_for("Type 2 to see it: ")
        terminal.types("")
        terminal.waits_for("Type 2 to see it: ")  # another one comes after the question
        terminal.types("1")
        terminal.waits_for("Type 2 to see it: ")
        assert [len(shown_in(screen)) for screen in terminal.screens] == [0, 32, 0]
        terminal.types("2")
        terminal.waits_for(ERASED)
        terminal.types("")
        assert terminal.ends() == 0


def test_neither_the_key_nor_a_component_is_where_it_does_not_belong(custodian, put_file):
    put_file("key.bin", KEY)
    with custodian.at_terminal(*SPLIT) as terminal:
        for number in ("1", "2"):
            terminal.waits_for(f"Type {number} to see it: ")
            terminal.types(number)
            terminal.waits_for(ERASED)
            terminal.types("")
        assert terminal.ends() == 0

    usual, first, between, second, rest = terminal.screens
    canaries = Canaries(key=KEY, first=shown_in(first), second=shown_in(second))
    found = [canaries.found_in(screen) for screen in (usual, first, between, second, rest)]
    assert found == [{}, {"first": "in hex"}, {}, {"second": "in hex"}, {}]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.usefixtures("transport")
def test_files_of_a_split_key_give_the_key_back(custodian, put_file, tmp_path, spec):
    key = next(iter(random_keys(KEY_SPECS[spec].form.size_bytes, 1)))
    put_file("key.bin", key)

    done = custodian.run("split", "key.bin", "--key-spec", spec, "--out", "a.bin", "--out", "b.bin", "--json")

    assert (done.code, done.err) == (0, "")
    said = json.loads(done.out)
    assert said["check_values"] == list(check_value.compute_all(KEY_SPECS[spec], key))
    for name, told in zip(("a.bin", "b.bin"), said["components"], strict=True):
        component = (tmp_path / name).read_bytes()
        assert told == {
            "key_spec": spec,
            "component_bytes": len(key),
            "check_values": list(check_value.compute_all(KEY_SPECS[spec], component)),
            "file": name,
        }
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert combined(custodian, tmp_path, ["a.bin", "b.bin"], spec) == key
    assert (tmp_path / "key.bin").read_bytes() == key


@pytest.mark.usefixtures("transport")
def test_a_longer_hmac_key_is_split_and_combined_with_its_check_value(custodian, put_file, tmp_path):
    key = next(iter(random_keys(40, 1)))
    put_file("key.bin", key)
    on_paper = ("--expected-check-value", check_value.compute(KEY_SPECS["HMAC_256"], key))

    done = custodian.run("split", "key.bin", "--key-spec", "HMAC_256", *on_paper, *("--out", "a.bin", "--out", "b.bin"))

    assert done.code == 0, done.err
    options = "--component-check-value for each component, and --expected-check-value"
    assert done.err == f"The key is longer than usual, so combine needs {options} {on_paper[1]}.\n"
    assert re.search(r"^Component 2: +HMAC:[0-9A-F]{10}, b\.bin$", done.text, re.MULTILINE)
    assert combined(custodian, tmp_path, ["a.bin", "b.bin"], "HMAC_256", *on_paper) == key


@pytest.mark.usefixtures("transport")
def test_what_holders_copied_of_a_longer_hmac_key_is_typed_with_the_options_that_split_names(
    custodian, put_file, tmp_path
):
    key = next(iter(random_keys(128, 1)))
    put_file("key.bin", key)
    hmac = ("--key-spec", "HMAC_256", "--expected-check-value", check_value.compute(KEY_SPECS["HMAC_256"], key))
    with custodian.at_terminal("split", "key.bin", *hmac) as terminal:
        for number in ("1", "2"):
            terminal.waits_for(f"Type {number} to see it: ")
            terminal.types(number)
            terminal.waits_for(ERASED)
            terminal.types("")
        assert terminal.ends() == 0
    copied = terminal.screens[1::2]

    given = [word for one in copied for word in ("--component-check-value", min(check_values_in(one)))]
    to = ("--wrapping-key", "transport.pem", "--out", "wrapped.bin")
    with custodian.at_terminal("combine", *hmac, *given, *to) as terminal:
        for number, screen in enumerate(copied, start=1):
            terminal.waits_for(f"Component {number}, 64 hex digits or more (is not shown): ")
            terminal.types(" ".join(re.findall(r"^ {4}([0-9A-F ]+)$", screen, re.MULTILINE)))
            terminal.waits_for("Press Enter: the screen is cleared ")
            terminal.types("")
        assert terminal.ends() == 0

    assert unwrap("RSAES_OAEP_SHA_256", rsa_key(2048), (tmp_path / "wrapped.bin").read_bytes()) == key


def test_a_key_from_a_pipe_in_hex(custodian, tmp_path):
    files = ("--out", "a.bin", "--out", "b.bin", "--out", "c.bin")

    done = custodian.run("split", "-", *SPLIT[2:], "--encoding", "HEX", *files, stdin=KEY.hex().encode())

    assert done.code == 0, done.err
    assert xor(*((tmp_path / f"{name}.bin").read_bytes() for name in "abc")) == KEY


def test_a_key_that_is_no_key_is_not_split(custodian, put_file, tmp_path):
    put_file("key.bin", KEY[:-1])

    done = custodian.run(*SPLIT, "--out", "a.bin", "--out", "b.bin")

    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith("key.bin: The material is 31 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32.")
    assert [path.name for path in tmp_path.iterdir()] == ["key.bin"]


def test_another_key_than_on_paper_is_not_split(custodian, put_file, tmp_path):
    put_file("key.bin", KEY)

    done = custodian.run(*SPLIT, "--expected-check-value", "CMAC:000000", "--out", "a.bin", "--out", "b.bin")

    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith("--expected-check-value: The material has another check value than the one declared.")
    assert [path.name for path in tmp_path.iterdir()] == ["key.bin"]


def test_half_of_a_split_key_is_not_left(custodian, put_file, tmp_path):
    """The second name is another way to write the first."""
    put_file("key.bin", KEY)

    done = custodian.run(*SPLIT, "--out", "a.bin", "--out", "./a.bin")

    assert (done.code, done.out) == (1, b"")
    assert done.err == "--out: ./a.bin exists, and no file is ever overwritten. Name another, or move this one away.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["key.bin"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--components", "1"), "Invalid value for '--components': it is not a number from 2 to 9."),
        (("--components", "10"), "Invalid value for '--components': it is not a number from 2 to 9."),
        (("--out", "a.bin"), "A key has 2 to 9 components, and 1 --out was given."),
        (
            ("--components", "2", "--out", "a.bin", "--out", "b.bin"),
            "--components is for shown components only: give --out for each one in a file.",
        ),
        (("--out", "a.bin", "--out", "-"), "Each component has a file of its own: --out is not -."),
        (
            ("--out", "a.bin", "--out", "a.bin"),
            "Two components in one file are no split key: name another file for each --out.",
        ),
        (("--key-spec", "RSA_2048"), f"Invalid value for '--key-spec': it is not one of {', '.join(SPECS)}."),
    ],
)
def test_a_wrong_call_of_split_ends_with_2(custodian, put_file, arguments, error):
    put_file("key.bin", KEY)

    done = custodian.run(*SPLIT, *arguments)

    assert (done.code, done.out) == (2, b"")
    assert done.err.endswith(f"\nError: {error}\n")
    assert [path.name for path in custodian.folder.iterdir()] == ["key.bin"]


def test_a_missing_key_spec_is_named_as_kms_spells_it(custodian, put_file):
    put_file("key.bin", KEY)

    done = custodian.run("split", "key.bin")

    assert done.code == 2
    assert done.err.endswith(f"\nError: Missing option '--key-spec'. Choose from {', '.join(SPECS)}.\n")
