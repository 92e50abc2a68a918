"""`key-custodian combine`: holders at a terminal, one after the other, and components in files."""

import json
import re
from functools import reduce

import pytest

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import KEY_SPECS
from lab.keys.by_hand import unwrap
from lab.keys.private_keys import rsa_key
from lab.keys.random_keys import random_keys
from lab.program import check_values_in

AES = KEY_SPECS["SYMMETRIC_DEFAULT"]
FIRST, SECOND, THIRD = random_keys(32, 3)
COMBINE = ("combine", "--key-spec", "SYMMETRIC_DEFAULT", "--wrapping-key", "transport.pem", "--out", "wrapped.bin")
MATCHES = "Is it the one on paper? [y/N]: "
ENTER = "Press Enter: the screen is cleared"

pytestmark = pytest.mark.usefixtures("transport")


def xor(*components):
    return reduce(lambda left, right: bytes(a ^ b for a, b in zip(left, right, strict=True)), components)


def cmac(key):
    return check_value.compute(AES, key)


def on_screen(key):
    return " or ".join(check_value.compute_all(AES, key))


def in_groups(component):
    """Groups of four digits, as an HSM prints them."""
    return re.sub("(....)", r"\1 ", component.hex().upper()).strip()


def opened(folder):
    return unwrap("RSAES_OAEP_SHA_256", rsa_key(2048), (folder / "wrapped.bin").read_bytes())


def types(terminal, number, component, answer="y"):
    """The input of one holder."""
    terminal.waits_for(f"Component {number}, 64 hex digits (is not shown): ")
    terminal.types(in_groups(component))
    terminal.waits_for(f"Check value of component {number}: {on_screen(component)}\n")
    terminal.waits_for(MATCHES)
    terminal.types(answer)


def test_two_holders_make_a_key_that_neither_knows(custodian, tmp_path):
    with custodian.at_terminal(*COMBINE) as terminal:
        types(terminal, 1, FIRST)
        types(terminal, 2, SECOND)
        assert terminal.ends() == 0

    key = xor(FIRST, SECOND)
    assert opened(tmp_path) == key
    assert f"Check value:       {cmac(key)}\n" in terminal.screens[-1]


def test_no_two_check_values_are_on_the_screen_together(custodian):
    with custodian.at_terminal(*COMBINE, "--components", "3") as terminal:
        for number, component in enumerate((FIRST, SECOND, THIRD), start=1):
            types(terminal, number, component)
        assert terminal.ends() == 0

    shown = [check_values_in(screen) for screen in terminal.screens]
    keys = (FIRST, SECOND, THIRD, xor(FIRST, SECOND, THIRD))
    assert shown == [set(check_value.compute_all(AES, key)) for key in keys]


def test_the_wrapped_bytes_may_go_elsewhere_than_the_screen(custodian, tmp_path):
    with (
        (tmp_path / "elsewhere.bin").open("wb") as elsewhere,
        custodian.at_terminal(*COMBINE[:-1], "-", stdout=elsewhere.fileno()) as terminal,
    ):
        types(terminal, 1, FIRST)
        types(terminal, 2, SECOND)
        assert terminal.ends() == 0

    (tmp_path / "elsewhere.bin").rename(tmp_path / "wrapped.bin")
    assert opened(tmp_path) == xor(FIRST, SECOND)
    assert f"Check value:       {cmac(xor(FIRST, SECOND))}\n" in terminal.screens[-1]


def test_nothing_that_is_typed_is_echoed(custodian):
    with custodian.at_terminal(*COMBINE) as terminal:
        types(terminal, 1, FIRST)
        types(terminal, 2, SECOND)
        terminal.ends()

    digits = re.sub(r"\s", "", terminal.transcript).lower()
    for secret in (FIRST, SECOND, xor(FIRST, SECOND)):
        assert secret.hex()[:12] not in digits


def test_a_slip_of_a_finger_is_reported_and_mended(custodian, tmp_path):
    with custodian.at_terminal(*COMBINE) as terminal:
        terminal.waits_for("Component 1, 64 hex digits (is not shown): ")
        terminal.types(FIRST.hex()[:-1])
        terminal.waits_for(
            "component 1: The text is not hex: an even number of hex digits is expected, with no spaces or other characters "
            "within. Write two digits for each byte, or set --encoding to what it is.\n"
            "Once more, please (2 of 3 tries left).\n"
        )
        types(terminal, 1, THIRD, answer="n")
        terminal.waits_for("Once more, please (1 of 3 tries left).\n")
        types(terminal, 1, FIRST)
        types(terminal, 2, SECOND)
        assert terminal.ends() == 0

    assert opened(tmp_path) == xor(FIRST, SECOND)


def test_after_three_tries_nothing_is_written(custodian, tmp_path):
    with custodian.at_terminal(*COMBINE) as terminal:
        for _ in range(3):
            types(terminal, 1, FIRST, answer="n")
        assert terminal.ends() == 1

    assert terminal.screens[-1] == (
        "component 1: It was typed 3 times, and never had the check value on paper. "
        "Nothing was written. Begin anew with the right components.\n"
    )
    assert not (tmp_path / "wrapped.bin").exists()


def test_check_values_on_paper_are_compared_by_the_tool(custodian, tmp_path):
    given = ("--component-check-value", cmac(FIRST), "--component-check-value", cmac(SECOND))
    with custodian.at_terminal(*COMBINE, *given, "--expected-check-value", cmac(xor(FIRST, SECOND))) as terminal:
        terminal.waits_for("Component 1, 64 hex digits (is not shown): ")
        terminal.types(SECOND.hex())
        terminal.waits_for(
            "--component-check-value 1: The material has another check value than the one declared. "
            "Give the right component, or correct --component-check-value.\n"
        )
        for number, component in ((1, FIRST), (2, SECOND)):
            terminal.waits_for(f"Component {number}, 64 hex digits (is not shown): ")
            terminal.types(component.hex())
            terminal.waits_for(f"Check value of component {number}: {on_screen(component)}, as given.\n")
            terminal.waits_for(ENTER)
            terminal.types("")
        assert terminal.ends() == 0

    assert opened(tmp_path) == xor(FIRST, SECOND)


def test_a_holder_who_gives_up_leaves_nothing(custodian, tmp_path):
    with custodian.at_terminal(*COMBINE) as terminal:
        types(terminal, 1, FIRST)
        terminal.waits_for("Component 2, 64 hex digits (is not shown): ")
        terminal.presses(b"\x03")
        assert terminal.ends() == 1

    assert terminal.transcript.endswith("Aborted!\n")
    assert not (tmp_path / "wrapped.bin").exists()


def test_the_same_component_twice_is_refused(custodian, tmp_path):
    with custodian.at_terminal(*COMBINE) as terminal:
        types(terminal, 1, FIRST)
        types(terminal, 2, FIRST)
        assert terminal.ends() == 1

    assert terminal.screens[-1] == (
        "component 2: It is the same as component 1; the two would cancel each other out. "
        "Each holder gives a component of their own.\n"
    )
    assert not (tmp_path / "wrapped.bin").exists()


def test_one_holder_types_and_the_other_gives_a_file(custodian, put_file, tmp_path):
    sources = ("--component", "-", "--component", put_file("b.bin", SECOND))
    with custodian.at_terminal(*COMBINE, *sources) as terminal:
        types(terminal, 1, FIRST)
        terminal.waits_for(f"Check value of component 2 (b.bin): {on_screen(SECOND)}\n")
        terminal.waits_for(MATCHES)
        terminal.types("y")
        assert terminal.ends() == 0

    assert opened(tmp_path) == xor(FIRST, SECOND)


def test_a_file_that_is_not_the_one_on_paper_is_refused(custodian, put_file, tmp_path):
    sources = ("--component", put_file("a.bin", FIRST), "--component", put_file("b.bin", SECOND))
    with custodian.at_terminal(*COMBINE, *sources) as terminal:
        terminal.waits_for(MATCHES)
        terminal.types("n")
        assert terminal.ends() == 1

    assert terminal.screens[-1] == (
        "component 1: The check value of a.bin is not that on paper. Look for the right file.\n"
    )
    assert not (tmp_path / "wrapped.bin").exists()


# ------------------------------------------------------------------------------------------------------- only files


def files(custodian, put_file, *components, spec=AES, given=None):
    """Combines files with their check values, without a terminal."""
    arguments = []
    for number, component in enumerate(components, start=1):
        arguments += ["--component", put_file(f"{number}.bin", component)]
    for value in given or [check_value.compute(spec, component) for component in components]:
        arguments += ["--component-check-value", value]
    return custodian.run("combine", "--key-spec", spec.name, *COMBINE[3:], *arguments, "--json")


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_512"])
def test_files_with_their_check_values_need_no_terminal(custodian, put_file, tmp_path, spec):
    row = KEY_SPECS[spec]
    components = list(random_keys(row.form.size_bytes, 3))

    done = files(custodian, put_file, *components, spec=row)

    assert done.code == 0, done.err
    assert json.loads(done.out)["check_values"][0] == check_value.compute(row, xor(*components))
    assert opened(tmp_path) == xor(*components)
    assert done.err.startswith("component 1: 1.bin has the check value that was given.\n")
    assert check_values_in(done.err) == set()


@pytest.mark.parametrize(
    ("components", "error"),
    [
        (
            (FIRST, FIRST),
            "component 2: It is the same as component 1; the two would cancel each other out. "
            "Each holder gives a component of their own.",
        ),
        (
            (FIRST, SECOND, THIRD, xor(SECOND, THIRD)),
            "the combined material: It equals one of the components, so the holder of that component has the key. "
            "Make new components, each of a random generator.",
        ),
        (
            (FIRST, SECOND, xor(FIRST, SECOND)),
            "the combined material: The material is not random: all of its bytes are equal. "
            "Make new components, each of a random generator.",
        ),
        (
            (bytes(32), SECOND),
            "component 1: The material is not random: all of its bytes are equal. "
            "Make the component with a random number generator, as long as the key.",
        ),
    ],
    ids=["equal", "the others cancel out", "all cancel out", "zero"],
)
def test_components_that_are_no_split_knowledge_are_refused(custodian, put_file, tmp_path, components, error):
    done = files(custodian, put_file, *components)

    assert (done.code, done.out) == (1, b"")
    assert done.err.splitlines()[-1] == error
    assert not (tmp_path / "wrapped.bin").exists()


def test_a_component_of_another_length_is_refused(custodian, put_file):
    done = files(custodian, put_file, FIRST, SECOND[:-1], given=[cmac(FIRST), "CMAC:000000"])

    assert done.code == 1
    assert done.err.endswith(
        "component 2: The material is 31 bytes long, and a SYMMETRIC_DEFAULT key takes exactly 32. "
        "Make the component with a random number generator, as long as the key.\n"
    )


def test_long_hmac_components_of_different_lengths_are_refused(custodian, put_file):
    short, long = next(random_keys(32, 1)), next(random_keys(40, 1))

    done = files(custodian, put_file, short, long, spec=KEY_SPECS["HMAC_256"])

    assert done.code == 1
    assert done.err.endswith(
        "component 2: It has 40 bytes, and component 1 has 32. All components of a key are as long as the key.\n"
    )


def test_a_component_may_have_the_older_check_value_on_paper(custodian, put_file, tmp_path):
    older = [check_value.compute_all(AES, component)[1] for component in (FIRST, SECOND)]

    assert files(custodian, put_file, FIRST, SECOND, given=older).code == 0

    assert opened(tmp_path) == xor(FIRST, SECOND)


def test_a_component_with_another_check_value_is_refused(custodian, put_file):
    done = files(custodian, put_file, FIRST, SECOND, given=[cmac(FIRST), cmac(THIRD)])

    assert done.code == 1
    assert done.err.endswith(
        "--component-check-value 2: The material has another check value than the one declared. "
        "Give the right component, or correct --component-check-value.\n"
    )


def test_a_key_with_another_check_value_is_refused(custodian, put_file, tmp_path):
    sources = ("--component", put_file("a.bin", FIRST), "--component", put_file("b.bin", SECOND))
    given = ("--component-check-value", cmac(FIRST), "--component-check-value", cmac(SECOND))

    done = custodian.run(*COMBINE, *sources, *given, "--expected-check-value", "CMAC:000000")

    assert done.code == 1
    assert done.err.endswith(
        "--expected-check-value: The material has another check value than the one declared. "
        "Name the file that holds the right key, or correct --expected-check-value.\n"
    )
    assert not (tmp_path / "wrapped.bin").exists()


@pytest.mark.parametrize("arguments", [(), ("--component", "a.bin", "--component", "b.bin")])
def test_without_a_terminal_nobody_can_compare(custodian, put_file, arguments):
    put_file("a.bin", FIRST)
    put_file("b.bin", SECOND)

    done = custodian.run(*COMBINE, *arguments, stdin=FIRST.hex().encode() + b"\n" + SECOND.hex().encode() + b"\n")

    assert (done.code, done.out) == (1, b"")
    assert done.err == (
        "standard input: There is no terminal at which components could be typed unseen, or check values be compared. "
        "Run it at a terminal, or give --component and --component-check-value for each.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--component", "a.bin"), "A key has 2 to 9 components, and 1 --component was given."),
        (
            ("--components", "2", "--component", "a.bin"),
            "--components is for typed components only: give --component for each, - for a typed one.",
        ),
        (
            ("--component-check-value", "CMAC:000000"),
            "Give --component-check-value for each of the 2 components, or for none.",
        ),
        (("--encoding", "RAW"), "A typed component is text: --encoding is HEX or BASE64."),
        (("--components", "1"), "Invalid value for '--components': it is not a number from 2 to 9."),
        (
            ("--key-spec", "RSA_2048"),
            "Invalid value for '--key-spec': it is not one of SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512.",
        ),
    ],
)
def test_a_wrong_call_ends_with_2(custodian, arguments, error):
    done = custodian.run(*COMBINE, *arguments)

    assert (done.code, done.out) == (2, b"")
    assert done.err.endswith(f"\nError: {error}\n")
