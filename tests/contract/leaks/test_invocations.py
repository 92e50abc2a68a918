"""No plaintext comes out anywhere: not in a log at DEBUG, on stdout, in an answer, in an exception.

The tests plant canaries where secrets are: the material (bare, in a PEM, wrapped), the wrapped blob, the ResponseURL's
signature. Then they search everything that the deployed entry point put out for each canary, whole or in pieces, in every form
(lab/keys/canaries.py). The environment turns on all logging. For what users put in wrong places see test_of_input.py.
"""

import logging
from collections.abc import Callable

import pytest

from imported_key_material import safe_log
from imported_key_material.aws import import_parameters
from imported_key_material.lifecycle import importing
from lab.cloudformation.response_bucket import status
from lab.wire.faults import Moment
from lab.wire.transport import Fault, Refusal
from lab.world import Crash
from tests.support.planted import IN_A_VALUE, KINDS, in_pem, wrapped_by_kms

pytestmark = pytest.mark.slow

TWO_KINDS = [wrapped_by_kms, in_pem]
ALWAYS = 10**6


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_comes_out_of_a_create_an_update_and_a_delete_that_succeed(world, app, kind):
    secret = kind(world)
    created = secret.create(world)
    out = app.everything_from(created)
    assert "SUCCESS Create of Material" in out
    assert '"message":"imported"' in out  # the searched text has the deployed function's own lines

    world.settle(created, {"Status": "SUCCESS", "PhysicalResourceId": created["ResourceProperties"]["KeyId"]})
    world.clock.advance(10)
    properties = dict(created["ResourceProperties"]) | {"Trigger": IN_A_VALUE}
    updated = world.update_request(properties.pop("KeyId"), **properties)
    out += app.everything_from(updated)
    out += app.everything_from(world.delete_request())

    assert "SUCCESS Update of Material" in out
    assert "SUCCESS Delete of Material" in out
    assert secret.canaries.found_in(out) == {}


def with_a_defect(world, monkeypatch):
    """A library that fails with the material in its exception."""

    def broken(_algorithm: str, _public_key: object, material: bytearray) -> bytes:
        raise ValueError(bytes(material), f"{material!r} {material.hex()}")

    monkeypatch.setattr(import_parameters.wrapping, "wrap", broken)


def with_a_defect_after_the_import(_world, monkeypatch):
    def broken(*_: object) -> dict[str, str]:
        raise ValueError(IN_A_VALUE)

    monkeypatch.setattr(importing.attributes, "of", broken)


def crashing(world, _monkeypatch):
    def hook(call, moment):
        if (call.operation, moment) == ("ImportKeyMaterial", Moment.AFTER):
            raise Crash

    world.aws.hooks.append(hook)


def failing(operation, fault):
    return lambda world, _: world.aws.faults.inject(operation, fault, times=ALWAYS)


def throttled_to_the_end(world, _monkeypatch):
    """Also, Lambda does not let the function hand the request over."""
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)
    world.aws.faults.inject("Invoke", Refusal(403, "AccessDeniedException", "no"), times=ALWAYS)


def not_wanted(world, _monkeypatch):
    world.stack.status = "CREATE_COMPLETE"


ENDS: dict[str, tuple[str, Callable[..., None]]] = {
    "KMS does not answer": ("FAILED Create", failing("DescribeKey", Fault.READ_TIMEOUT)),
    "the secret can't be decrypted": (
        "FAILED Create",
        failing("GetSecretValue", Refusal(400, "DecryptionFailure", "no")),
    ),
    "handed over": ("handed over to a new invocation", failing("GetParametersForImport", Fault.THROTTLED)),
    "throttled to the end": ("FAILED Create", throttled_to_the_end),
    "KMS takes no such blob": (
        "FAILED Create",
        failing("ImportKeyMaterial", Refusal(400, "InvalidCiphertextException", None)),
    ),
    "other material": (
        "FAILED Create",
        failing("ImportKeyMaterial", Refusal(400, "IncorrectKeyMaterialException", "no")),
    ),
    "the answer is lost": ("FAILED Create", failing("ImportKeyMaterial", Fault.READ_TIMEOUT)),
    "nobody waits for it": ("FAILED Create", not_wanted),
    "a defect": ("The function met an error of its own, ValueError.", with_a_defect),
    "a defect after the import": (
        "The function met an error of its own after the import, ValueError.",
        with_a_defect_after_the_import,
    ),
    "a crash": ("Crash", crashing),
}


@pytest.mark.parametrize("kind", TWO_KINDS)
@pytest.mark.parametrize(("told", "disturb"), ENDS.values(), ids=ENDS)
def test_nothing_comes_out_of_a_create_that_fails(world, app, monkeypatch, kind, told, disturb):
    secret = kind(world)
    event = secret.create(world)
    disturb(world, monkeypatch)

    out = app.everything_from(event)

    assert told in out
    assert secret.canaries.found_in(out) == {}


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_nothing_comes_out_of_an_answer_that_can_t_be_delivered(world, app, bucket, kind):
    """The exception of a failed PUT has the address in its text."""
    secret = kind(world)
    bucket.will(status(403))

    out = app.everything_from(secret.create(world))

    assert "DeliveryFailed" in out
    assert secret.canaries.found_in(out) == {}


@pytest.mark.parametrize("kind", TWO_KINDS)
@pytest.mark.parametrize("defect", ["a defect", "a defect after the import"])
def test_nothing_comes_out_of_a_log_that_can_t_be_written(world, app, monkeypatch, kind, defect):
    """Python prints a failed line together with the exception that is just being handled."""

    class Full(logging.Handler):
        def emit(self, record):
            try:
                raise OSError("no space left on device")
            except OSError:
                self.handleError(record)

    secret = kind(world)
    event = secret.create(world)
    told, disturb = ENDS[defect]
    disturb(world, monkeypatch)
    full = Full()
    logging.getLogger("imported_key_material").addHandler(full)

    out = app.everything_from(event)

    logging.getLogger("imported_key_material").removeHandler(full)
    assert told in out
    assert secret.canaries.found_in(out) == {}


# ----------------------------------------------------------------------------------------------------- the search itself


def test_the_search_finds_what_the_libraries_would_say_if_they_were_let(world, app, monkeypatch):
    """Without this test, a search that finds nothing proves nothing: here the libraries may log everything."""
    monkeypatch.setattr(safe_log, "_LEVELS", dict.fromkeys(safe_log._LEVELS, logging.NOTSET))
    secret = wrapped_by_kms(world)

    found = secret.canaries.found_in(app.everything_from(secret.create(world)))

    assert set(found) == {"material", "blob", "signature"}
