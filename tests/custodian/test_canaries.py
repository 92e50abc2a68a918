"""No material in any output: not in stdout, stderr, a terminal, or a file but the wrapped one, whether it works or fails."""

import json
import re

import pytest

from key_custodian import new_components
from lab.keys.canaries import Canaries
from lab.keys.openssl import openssl
from lab.keys.private_keys import ec_key, pkcs8_der, pkcs8_pem, rsa_key
from lab.keys.random_keys import random_keys

KEY, OTHER = random_keys(32, 2)
WRAP = ("--wrapping-key", "transport.pem", "--out", "wrapped.bin")
PARTS = ("--out", "a.bin", "--out", "b.bin")
WRONG = ("--expected-check-value", "HMAC:000000")
PRIVATE_VALUE = ec_key().private_numbers().private_value.to_bytes(32, "big")
PRIME = rsa_key(2048).private_numbers().p.to_bytes(128, "big")

CANARIES = Canaries(
    key=KEY,
    other=OTHER,
    scalar=PRIVATE_VALUE,
    prime=PRIME,
    combined=bytes(a ^ b for a, b in zip(KEY, OTHER, strict=True)),
)
HEX = KEY.hex()
HMAC = ("--key-spec", "HMAC_256")
CALLS = {
    "check": (KEY, ("check", "key.bin", *HMAC)),
    "check as JSON": (KEY, ("check", "key.bin", *HMAC, "--json")),
    "check an EC key": (pkcs8_pem(ec_key()), ("check", "key.bin", "--key-spec", "ECC_NIST_P256")),
    "check an RSA key": (pkcs8_pem(rsa_key(2048)), ("check", "key.bin", "--key-spec", "RSA_2048", "--json")),
    "check hex": (HEX, ("check", "key.bin", *HMAC, "--encoding", "HEX")),
    "wrap": (KEY, ("wrap", "key.bin", *HMAC, *WRAP)),
    "wrap as JSON": (KEY, ("wrap", "key.bin", *HMAC, *WRAP, "--json")),
    "wrap an RSA key": (pkcs8_der(rsa_key(2048)), ("wrap", "key.bin", "--key-spec", "RSA_2048", *WRAP)),
    "split": (KEY, ("split", "key.bin", *HMAC, *PARTS)),
    "split as JSON": (KEY, ("split", "key.bin", *HMAC, *PARTS, "--json")),
    "split hex": (HEX, ("split", "key.bin", *HMAC, *PARTS, "--encoding", "HEX")),
    "split, wrong length": (KEY, ("split", "key.bin", "--key-spec", "HMAC_512", *PARTS)),
    "split, another check value": (KEY, ("split", "key.bin", *HMAC, *PARTS, *WRONG)),
    "split, the file is there": (KEY, ("split", "key.bin", *HMAC, "--out", "a.bin", "--out", "key.bin")),
    "split, to nobody": (KEY, ("split", "key.bin", *HMAC)),
    "wrong length": (KEY, ("check", "key.bin", "--key-spec", "HMAC_512")),
    "wrong kind": (KEY, ("check", "key.bin", "--key-spec", "RSA_2048", "--json")),
    "wrong curve": (pkcs8_pem(ec_key()), ("check", "key.bin", "--key-spec", "ECC_NIST_P384")),
    "wrong encoding": (HEX[:-1], ("check", "key.bin", *HMAC, "--encoding", "HEX")),
    "hex that nobody decoded": (HEX, ("check", "key.bin", "--key-spec", "HMAC_512")),
    "hex for base64": (HEX, ("wrap", "key.bin", "--key-spec", "HMAC_384", "--encoding", "BASE64", *WRAP)),
    "no JSON": (HEX, ("check", "key.bin", *HMAC, "--json-key", "key")),
    "no UTF-8": (b"\xff" + KEY, ("check", "key.bin", *HMAC, "--json-key", "key")),
    "another field": (json.dumps({"kex": HEX}), ("check", "key.bin", *HMAC, "--json-key", "key")),
    "another check value": (KEY, ("wrap", "key.bin", *HMAC, *WRAP, *WRONG)),
    "the file is there": (KEY, ("wrap", "key.bin", *HMAC, "--wrapping-key", "transport.pem", "--out", "key.bin")),
    "no public key": (KEY, ("wrap", "key.bin", *HMAC, "--wrapping-key", "key.bin", "--out", "wrapped.bin")),
    "the key is no option": (KEY, ("wrap", "key.bin", *HMAC, *WRAP, "--key", "x")),
    "material as an argument": (KEY, ("check", HEX, *HMAC)),
    "AWS can't be reached": (
        KEY,
        ("wrap", "key.bin", *HMAC, "--wrapping-key", "alias/a", "--out", "w", "--region", "eu-central-1"),
    ),
}


def files(folder):
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "key.bin"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.usefixtures("transport")
def test_no_material_comes_out_of(custodian_process, put_file, tmp_path, call):
    data, arguments = CALLS[call]
    put_file("key.bin", data)

    done = custodian_process.run(*arguments)

    assert CANARIES.found_in(done.out, done.err, *files(tmp_path)) == {}


def test_the_search_finds_what_is_there(tmp_path, put_file):
    put_file("wrapped.bin", KEY)

    assert CANARIES.found_in(*files(tmp_path)) == {"key": "as it is"}
    assert CANARIES.found_in(pkcs8_pem(ec_key())) == {"scalar": "in base64"}
    assert CANARIES.found_in("\n".join(new_components.in_groups(KEY))) == {"key": "in hex"}


@pytest.mark.usefixtures("transport")
def test_no_component_comes_out_of_combine(custodian_process, put_file, tmp_path):
    put_file("key.bin", KEY)
    other = ("--component", "-", "--component", "key.bin")
    with custodian_process.at_terminal("combine", *HMAC, *WRAP, *other) as terminal:
        terminal.waits_for("(is not shown): ")
        terminal.types(OTHER.hex()[:-2])
        terminal.waits_for("Once more, please")
        terminal.waits_for("(is not shown): ")
        terminal.types(OTHER.hex())
        for _ in range(2):
            terminal.waits_for("[y/N]: ")
            terminal.types("y")
        assert terminal.ends() == 0

    assert CANARIES.found_in(terminal.transcript, *files(tmp_path)) == {}


@pytest.mark.parametrize("as_json", [(), ("--json",)])
@pytest.mark.parametrize(
    "call", [("generate", *HMAC, "--component", "--out", "a.bin"), ("split", "key.bin", *HMAC, *PARTS)]
)
def test_a_component_is_only_in_its_file(custodian_process, put_file, tmp_path, call, as_json):
    put_file("key.bin", KEY)

    done = custodian_process.run(*call, *as_json)

    made = {name: (tmp_path / name).read_bytes() for name in ("a.bin", "b.bin") if name in call}
    assert done.code == 0
    assert {len(component) for component in made.values()} == {32}
    for name, component in made.items():
        others = [data for other, data in made.items() if other != name]
        assert Canaries(component=component).found_in(done.out, done.err, *others) == {}


@pytest.mark.usefixtures("transport")
def test_no_component_is_in_an_error_of_what_takes_it(custodian_process, put_file):
    """The file of a component where another file belongs, and a component that is no longer whole."""
    custodian_process.run("generate", *HMAC, "--component", "--out", "a.bin")
    component = (custodian_process.folder / "a.bin").read_bytes()
    put_file("cut.bin", component[:-1])
    parts = ("--component", "a.bin", "--component", "cut.bin", *("--component-check-value", "HMAC:000000") * 2)

    calls = [
        ("combine", *HMAC, *WRAP, *parts),
        ("combine", *HMAC, "--wrapping-key", "a.bin", "--out", "wrapped.bin", *parts),
        ("check", "cut.bin", *HMAC, "--json"),
        ("check", component.hex(" ", 2), *HMAC),
    ]

    for call in calls:
        done = custodian_process.run(*call)
        assert done.code == 1
        assert Canaries(component=component).found_in(done.out, done.err) == {}


@pytest.mark.usefixtures("transport")
def test_what_is_generated_is_only_in_the_wrapped_file(custodian_process, put_file, tmp_path):
    put_file("private.pem", pkcs8_pem(rsa_key(2048)))
    done = custodian_process.run("generate", *HMAC, *WRAP)

    oaep = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
    decrypt = ("pkeyutl", "-decrypt", "-inkey", "private.pem", "-in", "wrapped.bin", *oaep)
    key = openssl(*decrypt, cwd=tmp_path)
    assert len(key) == 32
    assert Canaries(key=key).found_in(done.out, done.err, *files(tmp_path)) == {}


@pytest.mark.usefixtures("transport")
def test_a_defect_is_reported_without_what_the_exception_says(custodian_process, put_file, tmp_path):
    put_file("key.bin", KEY)
    (tmp_path / "sitecustomize.py").write_text(
        "import imported_key_material.material.material_check as material\n"
        "def check(source, *_, **__):\n"
        "    raise RuntimeError(repr(source))\n"
        "material.check = check\n"
    )
    broken = type(custodian_process)(tmp_path, {"PYTHONPATH": f"{tmp_path}:{custodian_process._env()['PYTHONPATH']}"})

    done = broken.run("check", "key.bin", *HMAC)

    assert (done.code, done.out) == (1, b"")
    assert re.search(r"RuntimeError: this is a defect of the tool; please report it with these lines\.\n$", done.err)
    assert CANARIES.found_in(done.err) == {}
