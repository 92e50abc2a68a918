"""Calls that do not go to AWS: each command says so first, and sends no plaintext there without TLS."""

from dataclasses import replace

import pytest

from imported_key_material.errors import Refused
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from key_custodian import elsewhere
from lab.keys.random_keys import random_keys

KEY, OTHER = random_keys(32, 2)
HMAC = ("--key-spec", "HMAC_256")
OUT = ("--out", "wrapped.bin")
UNDER = ("--wrapping-key", "alias/transport")
TO = ("--secret", "orders/mac-key", "--stack", "orders")
FAR = "http://aws.example.org:4566"
WRAPPING = ["wrap", "generate", "combine"]


def address_of(bank):
    return bank.custodian.environment["AWS_ENDPOINT_URL"]


def call(bank, command):
    first, second = bank.file("a.bin", KEY), bank.file("b.bin", OTHER)
    values = [check_value.compute(key_spec("HMAC_256", partition="aws"), key) for key in (KEY, OTHER)]
    parts = ("--component", first, "--component", second)
    of = {
        "wrap": (first,),
        "generate": (),
        "combine": (*parts, "--component-check-value", values[0], "--component-check-value", values[1]),
    }
    return (command, *of[command], *HMAC, *OUT)


@pytest.fixture
def far(bank):
    """The same services at an address of another machine, reached over a proxy on this one."""
    far = {"AWS_ENDPOINT_URL": FAR, "HTTP_PROXY": address_of(bank)}
    return replace(bank.custodian, environment={**bank.custodian.environment, **far})


# ------------------------------------------------------------------------------------------------------ wrap, and its like


@pytest.mark.parametrize("command", WRAPPING)
def test_where_not_aws_gets_the_plaintext_there_is_a_warning(bank, command):
    bank.transport_key("SYMMETRIC_DEFAULT")

    done = bank.run(*call(bank, command), *UNDER, "--secret", "orders/mac-key")

    assert done.code == 0
    assert done.err.startswith(
        f"Warning: NOT AWS: calls to kms go to {address_of(bank)}. The plaintext goes there, too.\n"
    )


@pytest.mark.parametrize("command", WRAPPING)
def test_where_not_aws_gives_the_public_key_there_is_a_warning(bank, command):
    bank.transport_key()

    done = bank.run(*call(bank, command), *UNDER)

    assert done.code == 0
    assert done.err.startswith(
        f"Warning: NOT AWS: calls to kms go to {address_of(bank)}. The public key comes from there: compare its "
        "check value with paper.\n"
    )


@pytest.mark.parametrize("command", WRAPPING)
def test_a_plaintext_is_not_sent_where_others_could_read_it_on_the_way(bank, far, command):
    bank.transport_key("SYMMETRIC_DEFAULT")

    done = far.run(*call(bank, command), *UNDER, "--secret", "orders/mac-key")

    assert (done.code, done.err.splitlines()[-1]) == (1, f"--wrapping-key: {IN_PLAINTEXT}")
    assert bank.calls == ["kms:DescribeKey"]
    assert not (bank.folder / "wrapped.bin").exists()


IN_PLAINTEXT = (
    f"The key would go in PLAINTEXT and without TLS to {FAR}: every machine on the way could read it. Set an address "
    "with https://, "
    "or none for AWS itself: AWS_ENDPOINT_URL, and endpoint_url of the profile."
)


def test_a_public_key_is_no_secret_on_the_way(bank, far):
    bank.transport_key()

    done = far.run(*call(bank, "wrap"), *UNDER)

    assert done.code == 0
    assert done.err.startswith(f"Warning: NOT AWS: calls to kms go to {FAR}. The public key comes from there")


# --------------------------------------------------------------------------------------------------------------------- put


def test_the_plan_of_put_says_who_is_asked(bank):
    bank.transport_key("SYMMETRIC_DEFAULT")
    wrapped = bank.run(*call(bank, "wrap"), *UNDER, "--secret", "orders/mac-key", "--json")
    report = bank.file("wrapped.json", wrapped.out)

    planned = bank.run("put", "wrapped.bin", "--report", report, *TO, "--plan")

    assert planned.code == 0
    assert next(line for line in planned.text.splitlines() if "Warning:" in line) == (
        f"  Warning: NOT AWS: calls to sts and secretsmanager and kms go to {address_of(bank)}."
    )


def test_a_key_in_plaintext_may_be_put_at_this_machine_and_the_plan_says_that_it_is_not_aws(bank):
    bank.file("key.bin", KEY)

    done = bank.run("put", "key.bin", *HMAC, "--plaintext", *TO, "--yes")

    assert done.code == 0
    assert f"  Warning: NOT AWS: calls to secretsmanager and sts go to {address_of(bank)}.\n" in done.err
    assert "secrets-manager:CreateSecret" in bank.calls


def test_a_key_in_plaintext_is_not_put_where_others_could_read_it_on_the_way(bank, far):
    bank.file("key.bin", KEY)

    done = far.run("put", "key.bin", *HMAC, "--plaintext", *TO, "--yes")

    assert (done.code, done.err) == (1, f"--plaintext: {IN_PLAINTEXT}\n")
    assert bank.calls == []


# --------------------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "address", ["", "https://kms.example.org", "http://127.0.0.1:4566", "http://[::1]:80", "http://localhost:4566"]
)
def test_a_plaintext_may_go_to(address):
    elsewhere.require_unseen(address, where="--plaintext")


@pytest.mark.parametrize(
    "address",
    [
        "http://kms.eu-central-1.amazonaws.com",
        "http://192.0.2.1",
        "http://[2001:db8::1]:4566",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "HTTP://kms.example.org",
    ],
)
def test_a_plaintext_does_not_go_to(address):
    with pytest.raises(Refused, match="without TLS"):
        elsewhere.require_unseen(address, where="--plaintext")


def test_each_address_is_reported_once():
    assert elsewhere.warnings({"kms": "http://a", "sts": "https://b", "secretsmanager": "http://a"}) == (
        "NOT AWS: calls to kms and secretsmanager go to http://a.",
        "NOT AWS: calls to sts go to https://b.",
    )
