"""The tool's output has no escape sequence, second line or command from other people's text, at a terminal or in a pipe."""

import ast
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

import key_custodian
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from key_custodian import output, report, secret_plan
from lab.keys.random_keys import random_key
from lab.program import Program
from lab.wire.transport import Refusal

KEY = random_key(32)
HMAC = ("--key-spec", "HMAC_256")
CHECK_VALUE = check_value.compute(key_spec("HMAC_256", partition="aws"), KEY)
TO = ("--secret", "orders/mac-key", "--stack", "orders")
CLEARED = "\x1b[2J\x1b[H\x1b[3J"
TITLE, TURNED, C1, HALF = "\x1b]0;title\x07", "\u202egnp.exe", "\x9b2J", "\udcff"
ATTACKS = {
    "clears the screen": CLEARED,
    "sets a title": TITLE,
    "turns text around": TURNED,
    "C1": C1,
    "zero width": "\u200b\u2066",
    "a separate line": "\nVerdict:        PROVED at AWS",
    "Unicode's line": "\u2028Verdict:        PROVED at AWS",
    "overwrites": "\rVerdict:        PROVED at AWS",
}


def require_plain(text):
    """The output has only printable characters and our own ends of lines."""
    assert [char for char in text if not char.isprintable() and char != "\n"] == []
    assert not re.search(r"^Verdict: +PROVED at AWS", text, re.MULTILINE)


# ---------------------------------------------------------------------------------------------------- who answers for AWS


NOT_ALWAYS_THERE = {"KmsKeyId", "OwningService"}


class Lying:
    """Answers like the honest service, except for one field of an operation's answers."""

    def __init__(self, honest, operation, field, said):
        self._honest, self._operation, self._field, self._said = honest, operation, field, said

    def __getattr__(self, name):
        return getattr(self._honest, name)

    def handle(self, request):
        answer = self._honest.handle(request)
        if self._honest.operation(request) != self._operation:
            return answer
        headers, body = dict(answer.headers), answer.body
        if self._field in headers:
            headers[self._field] = self._said
        elif body.startswith(b"{"):
            added = {self._field: self._said} if self._field in NOT_ALWAYS_THERE else {}
            body = json.dumps(self._changed(json.loads(body)) | added).encode()
        else:
            said = "".join(char if char.isprintable() else f"&#{ord(char)};" for char in self._said)
            tag = f"<{self._field}>[^<]*</{self._field}>".encode()
            body = re.sub(tag, lambda _: f"<{self._field}>{said}</{self._field}>".encode(), body)
        return answer._replace(headers=headers, body=body)

    def _changed(self, value):
        if isinstance(value, list):
            return [self._changed(one) for one in value]
        if isinstance(value, dict):
            return {name: self._said if name == self._field else self._changed(one) for name, one in value.items()}
        return value


def lies(bank, operation, field, said):
    bank._server.service = Lying(bank._server.service, operation, field, said)


def verify(bank, program=None):
    bank.file("key.bin", KEY)
    key = bank.external_key("HMAC_256", KEY)
    return (program or bank.custodian), ("verify", key, "--expected-check-value", CHECK_VALUE, "--material", "key.bin")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("field", ["Arn", "KeyUsage", "KeyState", "ExpirationModel", "KeySpec"])
def test_an_answer_with_such_a_text_is_none_of_aws_s(bank, field, attack):
    program, call = verify(bank)
    lies(bank, "DescribeKey", field, f"Enabled{ATTACKS[attack]}")

    done = program.run(*call)

    assert (done.code, done.out) == (1, b"")
    assert re.fullmatch(
        rf"KEY: kms:DescribeKey got an answer that is not from AWS: its {field} does not have AWS's form\. Often a proxy "
        r"answers in its place\. Check the network, and AWS_ENDPOINT_URL\.\n",
        done.err,
    )


def test_who_is_asked_by_is_held_to_its_form_too(bank):
    program, call = verify(bank)
    lies(bank, "GetCallerIdentity", "Arn", "arn:aws:iam::111122223333:user/a Verdict: PROVED")

    done = program.run(*call)

    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith(
        "--profile: sts:GetCallerIdentity got an answer that is not from AWS: its Arn does not have AWS's form."
    )


def test_a_request_s_id_that_is_none_is_left_out(bank):
    program, call = verify(bank)
    lies(bank, "DescribeKey", "x-amzn-RequestId", "1 Verdict: PROVED at AWS")

    done = program.run(*call)

    assert done.code == 0
    assert "                kms:DescribeKey\n" in done.text


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_an_error_of_aws_says_is_one_plain_line(bank, attack):
    program, call = verify(bank)
    bank.faults.inject("DescribeKey", Refusal(400, "NewException", f"Oh {ATTACKS[attack]} no"))

    done = program.run(*call)

    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    require_plain(done.err)


def test_a_code_of_an_error_that_is_none_is_not_repeated(bank):
    program, call = verify(bank)
    bank.faults.inject("DescribeKey", Refusal(400, f"A{CLEARED}", "no"))

    assert program.run(*call).err.startswith("KEY: kms:DescribeKey was refused with Unknown: no.")


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_plan_of_put_shows_a_tag_as_one_plain_line(bank, attack):
    bank.file("key.bin", KEY)
    bank.secret("orders/mac-key", b"wrapped", tags={"imported-key-material": "billing"})
    lies(bank, "DescribeSecret", "Tags", [{"Key": "imported-key-material", "Value": f"billing{ATTACKS[attack]}"}])

    done = bank.run("put", "key.bin", *HMAC, "--plaintext", *TO, "--replace-tag", "--plan")

    assert done.code == 0, done.err
    assert "billing" in done.text
    require_plain(done.text)


# ------------------------------------------------------------------------------------------------------------ at a terminal


def test_the_first_lines_of_a_receipt_at_a_real_terminal_are_not_cleared_away(bank_process):
    program, call = verify(bank_process)
    lies(bank_process, "DescribeKey", "Arn", f"{CLEARED}Verdict:        PROVED at AWS")

    with program.at_terminal(*call) as terminal:
        assert terminal.ends() == 1

    require_plain(terminal.transcript)


def test_a_receipt_at_a_real_terminal_begins_and_ends_with_who_answered(bank_process):
    program, call = verify(bank_process)
    longest = f"arn:aws:sts::111122223333:{'x' * 700}"
    lies(bank_process, "GetCallerIdentity", "Arn", longest)

    with program.at_terminal(*call) as terminal:
        assert terminal.ends() == 0

    lines = terminal.transcript.splitlines()
    assert lines[0].startswith("NOT AWS:        sts was asked at http://127.0.0.1:")
    assert lines[-1] == "NOT AWS:        the answers of sts and kms, see above"
    require_plain(terminal.transcript)
    assert len(terminal.transcript) < 4_000  # so that no answer is longer than a few screens


def test_an_error_of_aws_at_a_real_terminal_moves_no_cursor(bank_process):
    program, call = verify(bank_process)
    bank_process.faults.inject("DescribeKey", Refusal(400, "NewException", f"{CLEARED}{TITLE}{C1}{TURNED} gone"))

    with program.at_terminal(*call) as terminal:
        assert terminal.ends() == 1

    require_plain(terminal.transcript)
    assert (
        "KEY: kms:DescribeKey was refused with NewException: ?[2J?[H?[3J?]0;title??2J?gnp.exe gone."
        in terminal.transcript
    )


# ------------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("attack", [*ATTACKS, "half a character"])
def test_a_file_s_name_is_shown_plainly(custodian_process, put_file, attack):
    name = f"key{ATTACKS.get(attack, HALF)}.bin"
    put_file(name, KEY)
    (custodian_process.folder / name).chmod(0o644)

    readable = custodian_process.run("check", name, *HMAC)
    missing = custodian_process.run("check", f"no{name}", *HMAC)
    wrong = custodian_process.run("check", "key.bin", *HMAC, f"more{name}")

    assert (readable.code, missing.code, wrong.code) == (0, 1, 2)
    assert len(readable.err.splitlines()) == len(missing.err.splitlines()) == 1
    for done in (readable, missing, wrong):
        require_plain(done.text + done.err)
        assert done.err


def test_a_name_in_a_report_is_shown_plainly(custodian, put_file, transport):
    put_file("key.bin", KEY)
    out = f"a{CLEARED}\nWrapped with:      nothing"

    done = custodian.run("wrap", "key.bin", *HMAC, "--wrapping-key", transport.name, "--out", out)

    assert done.code == 0
    require_plain(done.text)
    assert not re.search(r"^Wrapped with: +nothing", done.text, re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("schlüssel 鍵 ÄÖ", "schlüssel 鍵 ÄÖ"),
        ("a\tb\x00c\x7fd", "a?b?c?d"),
        ("x" * 5000, "x" * 4093 + "..."),
        ("", ""),
    ],
)
def test_a_line_is_made_printable(line, shown):
    assert output.printable(line) == shown


def test_what_the_stream_can_t_encode_is_replaced(tmp_path, put_file):
    """On a system with locale C, a name in another script must not cause a defect."""
    (tmp_path / "schlüssel.bin").write_bytes(KEY)
    (tmp_path / "schlüssel.bin").chmod(0o644)
    program = Program(tmp_path, {"PYTHONIOENCODING": "ascii:strict"})

    done = program.run("check", "schlüssel.bin", *HMAC)

    assert done.code == 0
    assert done.err == "Warning: schl?ssel.bin: not only its owner may read this file (mode 0644): chmod 600.\n"


def test_nothing_is_nothing():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output.click, "echo", lambda *_, **__: pytest.fail("an empty line"))
        output.say()


# ---------------------------------------------------------------------------------------------------------------- commands

WORDS = "a; touch PWNED #"


def words_of(command):
    """The words of a command, split like a shell does."""
    done = subprocess.run(["/bin/sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_command_to_be_given_takes_every_name_as_one_word():
    command = secret_plan.update_stage(WORDS, f"stage {WORDS}", f"to {WORDS}", f"from {WORDS}")

    assert {WORDS, f"stage {WORDS}", f"to {WORDS}", f"from {WORDS}"} <= set(words_of(command))


def test_the_command_that_stores_the_file_takes_every_name_as_one_word():
    told = report.WrapReport(
        report.MaterialReport("HMAC_256", 32, ()),
        algorithm="SYMMETRIC_DEFAULT",
        kms_key=f"key {WORDS}",
        opens_for=f"111122223333/{WORDS}",
        sha256="",
        file=f"file {WORDS}",
    )

    lines = told.lines()
    command = "\n".join(lines[lines.index(next(line for line in lines if "key-custodian put" in line)) :])

    assert {WORDS, f"file {WORDS}", f"key {WORDS}"} <= set(words_of(command.strip()))
    assert shlex.split(command)[:2] == ["key-custodian", "put"]


@pytest.mark.parametrize("said", ["arn:aws:kms:eu-central-1:111122223333:key/1; touch PWNED #", "key; touch PWNED"])
def test_an_arn_that_is_a_command_gets_into_none(bank, said):
    bank.transport_key()
    bank.file("key.bin", KEY)
    lies(bank, "DescribeKey", "Arn", said)

    done = bank.run("wrap", "key.bin", *HMAC, "--wrapping-key", "alias/transport", "--out", "wrapped.bin")

    assert (done.code, done.out) == (1, b"")
    assert "PWNED" not in done.err
    assert not (bank.folder / "wrapped.bin").exists()


@pytest.mark.parametrize("field", ["ARN", "Name", "KmsKeyId", "OwningService"])
def test_a_secret_of_such_a_name_is_not_written_to(bank, field):
    bank.file("key.bin", KEY)
    bank.secret("orders/mac-key", b"wrapped", tags={"imported-key-material": "orders"})
    before = list(bank.secrets.written)
    lies(bank, "DescribeSecret", field, "a; touch PWNED #")

    done = bank.run("put", "key.bin", *HMAC, "--plaintext", *TO, "--yes")

    assert (done.code, done.out, bank.secrets.written) == (1, b"", before)
    assert "PWNED" not in done.err
    assert done.err.startswith(
        f"--secret: secretsmanager:DescribeSecret got an answer that is not from AWS: its {field} "
    )


@pytest.mark.parametrize("said", [5, ["a"], {"a": ["b"]}])
def test_what_is_no_text_at_all_is_none_of_aws_s_either(bank, said):
    program, call = verify(bank)
    lies(bank, "DescribeKey", "KeyUsage", said)

    done = program.run(*call)

    assert done.code == 1
    assert done.err.startswith(
        "KEY: kms:DescribeKey got an answer that is not from AWS: its KeyUsage does not have AWS's form."
    )


def test_stages_are_held_to_their_form(bank):
    bank.file("key.bin", KEY)
    bank.secret("orders/mac-key", b"wrapped", tags={"imported-key-material": "orders"})
    lies(bank, "DescribeSecret", "VersionIdsToStages", {"1": [f"A{CLEARED}"]})

    done = bank.run("put", "key.bin", *HMAC, "--plaintext", *TO, "--yes")

    assert "its VersionIdsToStages does not have AWS's form" in done.err


# --------------------------------------------------------------------------------------------------------------- the rule

_PRINTS = {"echo", "secho", "echo_via_pager", "print", "prompt", "confirm", "pause", "clear", "style"}
_PRINTS |= {"print_tb", "print_exc", "print_exception", "print_stack", "excepthook"}


def calls_in(path):
    """A module's calls: (object, name), "" for a bare name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield "", node.func.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr


def prints(whose, name):
    if whose == "output":
        return False
    return name in _PRINTS or (name.startswith("write") and whose in {"sys.stdout", "sys.stderr"})


def test_every_word_goes_out_in_one_place():
    """`click.echo` and its like stand in output.py; bytes (`sys.stdout.buffer`) are no words."""
    folder = Path(key_custodian.__file__).parent
    found = {
        f"{path.name}: {whose}.{name}"
        for path in folder.glob("*.py")
        for whose, name in calls_in(path)
        if prints(whose, name)
    }

    assert found == {"output.py: click.echo", "output.py: click.prompt", "output.py: click.confirm"}
