"""A user gives a key where something else belongs: in every option and argument of every command, in every form of a key.

The list of options is click's, so that it has each new option. No output repeats the key, no part of it goes to AWS, and no
file gets its name.
"""

import base64
import importlib
import re

import click
import pytest

from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from imported_key_material.material.proof import CONFIRMATION_MESSAGE
from key_custodian import argument_types
from key_custodian.cli import COMMANDS
from key_custodian.redaction import looks_like_a_key
from lab.keys.canaries import Canaries
from lab.keys.openssl import openssl
from lab.keys.private_keys import ec_key, key_for, pkcs8_der, pkcs8_pem, rsa_key, spki_der
from lab.keys.random_keys import random_keys
from tests.support.called import Called
from tests.support.online import Online

pytestmark = pytest.mark.slow


def chosen(*wanted):
    """The first of many keys whose base64 has all these properties."""
    return next(key for key in random_keys(32, 5_000) if all(one(base64.b64encode(key).decode()) for one in wanted))


KEY = chosen(lambda text: "/" in text[8:20], lambda text: "+" in text)  # a slash, so that it looks like a path
ON_PAPER = check_value.compute(key_spec("HMAC_256", partition="aws"), KEY)
FORMS = {
    "hex": KEY.hex(),
    "hex with colons": KEY.hex(":"),
    "hex in groups": KEY.hex(" ", 2),
    "base64": base64.b64encode(KEY).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(KEY).decode().rstrip("="),
    "PEM": pkcs8_pem(ec_key()),
}
PATHS = {f"{form}, then a path": f"{text}/x" for form, text in FORMS.items()}
NO_NAMES = (argument_types.check_value, argument_types.digits)
SCALAR = ec_key().private_numbers().private_value.to_bytes(32, "big")
CANARIES = Canaries(key=KEY, scalar=SCALAR)

HMAC, OUT = ("--key-spec", "HMAC_256"), ("--out", "wrapped.bin")
TO = ("--secret", "orders/mac-key", "--stack", "orders", "--yes")
PARTS = ("--component", "key.bin", "--component", "other.bin")
VALUES = ("--component-check-value", "OF_KEY", "--component-check-value", "OF_OTHER")
CALLS = {  # complete calls without faults; a test replaces or adds each option and argument
    "check": [
        ("check", "key.bin", *HMAC),
        ("check", "key.json", *HMAC, "--json-key", "key", "--encoding", "HEX", "--json"),
    ],
    "generate": [
        ("generate", *HMAC, "--wrapping-key", "transport.der", *OUT),
        ("generate", *HMAC, "--plaintext-out", "new.bin"),
        ("generate", *HMAC, "--component", "--out", "new.bin"),
    ],
    "wrap": [
        ("wrap", "key.bin", *HMAC, "--wrapping-key", "transport.der", *OUT),
        ("wrap", "key.bin", *HMAC, "--wrapping-key", "alias/transport", *OUT),
        ("wrap", "key.bin", *HMAC, "--wrapping-key", "alias/symmetric", "--secret", "orders/mac-key", *OUT, "--json"),
    ],
    "split": [
        ("split", "key.bin", *HMAC, "--out", "a.bin", "--out", "b.bin"),
    ],
    "combine": [
        ("combine", *HMAC, *PARTS, *VALUES, "--wrapping-key", "transport.der", *OUT),
    ],
    "put": [
        ("put", "stored.bin", "--report", "stored.json", *TO),
        ("put", "stored.bin", *HMAC, "--algorithm", "RSAES_OAEP_SHA_256", "--wrapping-key", "alias/transport", *TO),
        ("put", "key.bin", *HMAC, "--plaintext", *TO, "--json"),
    ],
    "verify": [
        ("verify", "HMAC_KEY", "--expected-check-value", "OF_KEY", "--mac", "MAC"),
        ("verify", "HMAC_KEY", "--expected-check-value", "OF_KEY", "--material", "key.bin", "--json"),
        ("verify", "EC_KEY", "--expected-check-value", "OF_EC", "--secret", "orders/there", "--version-id", "VERSION"),
        ("verify", "SYMMETRIC_KEY", "--expected-check-value", "CMAC:D38B42096D", "--key-material-id", "MATERIAL"),
    ],
    "inventory": [
        ("inventory", "--application", "imported-key-material", "--region", "eu-central-1", "--format", "json"),
    ],
}
PLAIN = ("key.bin", "other.bin", "key.json", "transport.der", "stored.bin", "stored.json")


def params(name):
    return importlib.import_module(f"key_custodian.{name}").command.params


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """(AWS and the tool, the values of the capitals in CALLS)."""
    with Online(tmp_path_factory.mktemp("wrong"), program=Called) as bank:
        other = next(key for key in random_keys(32, 2) if key != KEY)
        bank.file("key.bin", KEY)
        bank.file("other.bin", other)
        bank.file("key.json", f'{{"key": "{KEY.hex()}"}}')
        bank.file("transport.der", spki_der(rsa_key(2048)))
        bank.transport_key()
        bank.transport_key("SYMMETRIC_DEFAULT", alias="alias/symmetric")
        under = ("--wrapping-key", "alias/transport", "--out", "stored.bin", "--json")
        bank.file("stored.json", bank.run("wrap", "key.bin", *HMAC, *under).out)
        version = "00000000-0000-4000-8000-00000000000a"
        bank.secret("orders/there", b"wrapped", version_id=version)
        symmetric = bank.external_key("SYMMETRIC_DEFAULT")
        ec_der = spki_der(key_for("ECC_NIST_P256"))
        names = {
            "HMAC_KEY": bank.external_key("HMAC_256", KEY),
            "EC_KEY": bank.external_key("ECC_NIST_P256", pkcs8_der(key_for("ECC_NIST_P256"))),
            "SYMMETRIC_KEY": symmetric,
            "MATERIAL": bank.import_material(symmetric, "SYMMETRIC_DEFAULT", other),
            "OF_KEY": ON_PAPER,
            "OF_OTHER": check_value.compute(key_spec("HMAC_256", partition="aws"), other),
            "OF_EC": check_value.compute(key_spec("ECC_NIST_P256", partition="aws"), ec_der),
            "MAC": mac_of(KEY),
            "VERSION": version,
        }
        yield bank, names


def mac_of(key):
    command = ("mac", "-digest", "sha256", "-macopt", f"hexkey:{key.hex()}", "HMAC")
    return openssl(*command, stdin=CONFIRMATION_MESSAGE).decode().strip()


def run(there, call):
    """(exit code, all output, all that was sent, the names of new files). It removes these files."""
    bank, names = there
    sent_before, files_before = len(bank.sent), set(bank.folder.iterdir())
    done = bank.run(*(names.get(one, one) for one in call))
    made = sorted(set(bank.folder.iterdir()) - files_before)
    for path in made:
        path.unlink()
    return done.code, done.text + done.err, bank.sent[sent_before:], [path.name for path in made]


def with_key(call, param, form):
    """The calls with the key in place of a parameter; one for each place of an option that is given more than once."""
    if isinstance(param, click.Argument):
        return [(call[0], *call[2:], "--", form)]
    name = param.opts[0]
    if param.is_flag:
        return [(*call, f"{name}={form}")]
    places = [at for at, word in enumerate(call) if word == name]
    exchanged = [(*call[: at + 1], form, *call[at + 2 :]) for at in places] or [(*call, name, form)]
    return [*exchanged, (*call, f"{name}={form}")] if form.endswith("/x") else exchanged  # click uses the last one


CASES = [(name, at, param.name) for name, calls in CALLS.items() for at in range(len(calls)) for param in params(name)]


@pytest.mark.parametrize(("name", "at"), [(name, at) for name, calls in CALLS.items() for at in range(len(calls))])
def test_each_call_is_right_before_a_key_is_put_into_it(there, name, at):
    code, printed, _, _ = run(there, CALLS[name][at])

    assert code == (3 if "SYMMETRIC_KEY" in CALLS[name][at] else 0), printed
    assert CANARIES.found_in(printed) == {}


@pytest.mark.parametrize(("name", "at", "param"), CASES)
def test_in_the_place_of_any_option_and_argument_it_is_not_repeated_and_goes_nowhere(there, name, at, param):
    (found,) = [one for one in params(name) if one.name == param]
    ways = FORMS if found.type in NO_NAMES else FORMS | PATHS
    for form, text in ways.items():
        for call in with_key(CALLS[name][at], found, text):
            code, printed, sent, made = run(there, call)
            require_silent(form, text, printed, made)
            stored = [one for one in sent if b"SecretBinary" in one]  # --plaintext stores a key on purpose
            assert CANARIES.found_in(*(one for one in sent if one not in stored)) == {}, (form, call[0])
            assert not [one for one in sent if text.encode() in one], form
            assert code in {1, 2}, form


def require_silent(form, text, printed, made):
    """The output has no part of the key, however it is grouped or quoted."""
    said, given = (re.sub(r"\\n|[^A-Za-z0-9+/=_]", "", one) for one in (printed, text.replace("PRIVATE KEY", "")))
    parts = {given[at : at + 8] for at in range(0, len(given) - 7, 8)}
    assert not [part for part in parts if part in said and part not in "BEGINEND"], (
        form,
        printed.replace(text, "<KEY>"),
    )
    assert CANARIES.found_in(printed) == {}, form
    assert not [name for name in made if name in text or text in name], form
    assert "defect" not in printed, form


@pytest.mark.parametrize(("name", "at", "param"), CASES)
def test_a_wrong_call_repeats_no_value_even_one_that_is_no_key(there, name, at, param):
    """A usage error repeats no value of any option or argument, so the tool need not guess which value is a key."""
    (found,) = [one for one in params(name) if one.name == param]
    for call in with_key(CALLS[name][at], found, "Zq7~"):
        for wrong in (call, (*call, "Zq7~"), (*call, "--Zq7~"), (call[0], "Zq7~", *call[1:])):
            code, printed, _, made = run(there, wrong)
            assert code != 2 or ("Zq7~" not in printed and made == []), wrong


@pytest.mark.parametrize("call", [("Zq7~",), ("--Zq7~",), ("-Z",), ("--help=Zq7~",), ("--", "Zq7~")])
def test_nor_does_one_without_a_command(there, call):
    code, printed, sent, made = run(there, call)

    assert (code, sent, made) == (2, [], [])
    assert "Error: " in printed
    assert not re.search("Zq7|-Z", printed)


def test_no_option_and_no_argument_takes_any_text():
    """Each has a type that limits its values."""
    ours = {
        value for value in vars(argument_types).values() if getattr(value, "__module__", "") == argument_types.__name__
    }
    lists = (click.Choice, click.IntRange, click.types.BoolParamType)

    untyped = [
        f"{name} {param.name}"
        for name in COMMANDS
        for param in params(name)
        if not isinstance(param.type, lists) and getattr(param.type, "func", param.type) not in ours
    ]

    assert untyped == []


def test_no_command_is_left_out():
    assert set(CALLS) == set(COMMANDS)


# --------------------------------------------------------------------------------------------------------- what looks like one


def forms_of(key):
    plain, address = base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()
    return {
        key.hex(),
        key.hex().upper(),
        key.hex(":"),
        key.hex(" ", 2),
        plain,
        plain.rstrip("="),
        address,
        address.rstrip("="),
    }


@pytest.mark.parametrize("size_bytes", [28, 32, 48, 64])
def test_a_key_looks_like_one_in_each_form(size_bytes):
    missed = [
        form
        for key in random_keys(size_bytes, 500)
        for text in forms_of(key)
        for form in (text, f"{text}/x", f"./{text}", f"keys/{text}/x.bin")
        if not looks_like_a_key(form)
    ]

    assert missed == []


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_so_does_a_private_key(spec):
    der = pkcs8_der(key_for(spec))

    assert all(map(looks_like_a_key, [pkcs8_pem(key_for(spec)), der.hex(), base64.b64encode(der).decode()]))


@pytest.mark.parametrize(
    "name",
    [
        "orders/production/eu-central-1/master-key",
        "Production/Orders2026/MasterKeyForPayments1",
        "/Users/alice/Projects/orders2026/keys/wrapped",
        "wrapped-OrdersMasterKey-2026-production-version-2",
        "SystemAdministratorAccess-111122223333",
        "terraform-20210922181524494300000002",
        "alias/orders-production-transport-key-of-the-year-2026",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/master-key-AbCdEf",
        "CMAC:377822C093",
        f"SHA256:{'9F86D081' * 8}",
        "a" * 43,
        "",
        "-",
    ],
)
def test_a_name_does_not(name):
    assert not looks_like_a_key(name)


def test_what_is_longer_than_any_name_is_none():
    assert looks_like_a_key("a/" * 3_000)
