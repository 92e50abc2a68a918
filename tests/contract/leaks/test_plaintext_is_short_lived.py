"""Plaintext lives between its check and its seal, and never through a wait (docs/internals/design.md, "The plaintext").

`Held` sees every material that passes the checks, and every wait of the function. During a wait, all of it must be wiped.
"""

import pytest

from imported_key_material.material import material_check
from lab.keys.at_rest import transport_key, wrapped
from lab.keys.by_hand import import_material
from lab.keys.private_keys import key_for, pkcs8_der
from lab.keys.random_keys import random_keys
from lab.wire.faults import Moment
from lab.wire.transport import Fault, Refusal

KEY, OTHER, THIRD = random_keys(32, 3)
SECRET = "orders/master-key"
V1, V2, V3 = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2, 3))
ALWAYS = 10**6


class Held:
    """`alive_seconds`: the longest time for which any material was not wiped. `waited_with`: the waits in this time."""

    def __init__(self, world, monkeypatch):
        self._clock, self._alive = world.clock, {}
        self.checked, self.alive_seconds, self.waited_with, self.together = 0, 0.0, 0, 0
        check, wipe, sleep = material_check.check, material_check.CheckedMaterial.wipe, world.clock.sleep

        def checking(*args, **options):
            checked = check(*args, **options)
            self.checked += 1
            self._alive[id(checked)] = (checked, world.clock.now())
            self.together = max(self.together, len(self._alive))
            return checked

        def wiping(checked):
            wipe(checked)
            if id(checked) in self._alive:
                _, since = self._alive.pop(id(checked))
                self.alive_seconds = max(self.alive_seconds, (world.clock.now() - since).total_seconds())
            assert not any(checked._encoded)

        def sleeping(seconds):
            self.waited_with += len(self._alive)
            sleep(seconds)

        monkeypatch.setattr(material_check, "check", checking)
        monkeypatch.setattr(material_check.CheckedMaterial, "wipe", wiping)
        monkeypatch.setattr(world.clock, "sleep", sleeping)

    @property
    def left(self):
        return len(self._alive)


@pytest.fixture
def held(world, monkeypatch):
    held = Held(world, monkeypatch)
    yield held
    assert (held.left, held.waited_with) == (0, 0)


REASONS = [
    Fault.THROTTLED,
    Fault.INTERNAL_ERROR,
    Refusal(400, "AccessDeniedException", "not authorized"),  # a new tag that does not have effect yet
    Refusal(400, "KMSInvalidStateException", "K is creating."),
    Refusal(400, "NotFoundException", "Key 'K' does not exist"),
]


def reads(world):
    return [
        call.operation for call in world.aws.calls if call.operation in ("GetSecretValue", "GetParametersForImport")
    ]


def test_where_the_first_try_brings_the_parameters_the_secret_is_read_once(world, held):
    assert world.create(world.external_key(), SecretId=world.secret(KEY).name)["Status"] == "SUCCESS"

    assert reads(world) == ["GetSecretValue", "GetParametersForImport"]
    assert held.alive_seconds == 0


@pytest.mark.parametrize("why", REASONS, ids=str)
def test_the_material_is_wiped_before_any_wait_and_read_again_afterwards(world, held, why):
    key, secret = world.external_key(), world.secret(KEY)
    world.aws.faults.inject("GetParametersForImport", why, times=8)

    assert world.create(key, SecretId=secret.name)["Status"] == "SUCCESS"

    assert reads(world) == ["GetSecretValue", *["GetParametersForImport"] * 9, "GetSecretValue"]
    assert held.checked == 2
    assert world.state(key) == "Enabled"


def test_a_wrapped_secret_is_opened_again_too(world, held):
    algorithm = "RSA_AES_KEY_WRAP_SHA_256"
    transport = transport_key(world, algorithm)
    secret = world.secret(wrapped(world, transport, algorithm, KEY))
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=8)

    answer = world.create(
        world.external_key(), SecretId=secret.name, SecretWrapping={"Algorithm": algorithm, "KeyId": transport}
    )

    assert answer["Status"] == "SUCCESS"
    assert world.aws.count("Decrypt") == 2


def test_a_key_that_can_t_show_its_bytes_at_once_is_asked_after_the_wipe(world, held):
    """KMS throttles GetPublicKey: the function waits, but wipes the plaintext first."""
    key = world.external_key("ECC_NIST_P256")
    der = pkcs8_der(key_for("ECC_NIST_P256"))
    import_material(world.session().client("kms"), key, der)
    world.aws.faults.inject("GetPublicKey", Fault.THROTTLED, times=8)

    assert world.create(key, SecretId=world.secret(der).name)["Status"] == "SUCCESS"
    assert world.aws.count("GetPublicKey") > 8
    assert (held.alive_seconds, held.waited_with) == (0, 0)


def test_other_bytes_are_refused_while_the_quota_is_used_up_without_waiting_for_it(world, held):
    key = world.external_key("HMAC_256")
    import_material(world.session().client("kms"), key, KEY)
    world.aws.faults.inject("VerifyMac", Fault.THROTTLED, times=1)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=ALWAYS)
    asked = world.aws.count("GetParametersForImport")

    answer = world.create(key, SecretId=world.secret(OTHER).name)

    assert "The secret holds other material than the key holds" in answer["Reason"]
    assert world.aws.count("GetParametersForImport") == asked + 1


def test_the_version_that_was_checked_is_read_again_though_awscurrent_has_moved(world, held):
    key, secret = world.external_key(), world.secret(KEY, version_id=V1)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=8)
    world.clock.at(world.clock.now(), lambda: None)
    moved = []

    def move(call, at):
        if (call.operation, at) == ("GetParametersForImport", Moment.BEFORE) and not moved:
            moved.append(world.secret(OTHER, version_id=V2))

    world.aws.hooks.append(move)
    answer = world.create(key, SecretId=secret.name)

    assert moved
    assert answer["Status"] == "SUCCESS"
    assert f'"secret_version_id": "{V1}"' in world.log.getvalue()
    assert world.update(key, SecretId=secret.name, SecretVersionId=V1, Trigger="1")["Status"] == "SUCCESS"


def test_several_materials_are_there_one_at_a_time(world, held):
    key = world.external_key()
    world.secret(KEY, version_id=V1)
    world.create(key, SecretId=SECRET, SecretVersionId=V1)
    world.secret(OTHER, version_id=V2)
    world.update(key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE")
    world.secret(THIRD, version_id=V3)
    world.call("DeleteImportedKeyMaterial", KeyId=key)
    world.aws.calls.clear()
    held.together = 0

    answer = world.update(
        key, SecretId=SECRET, SecretVersionId=V2, NewMaterial="ROTATE", PreviousSecretVersionIds=[V1], Trigger="2"
    )

    assert answer["Status"] == "SUCCESS"
    assert world.state(key) == "Enabled"
    assert held.together == 1
    assert reads(world) == [*["GetSecretValue"] * 2, "GetParametersForImport", *["GetSecretValue"] * 2]


@pytest.mark.parametrize(("age_seconds", "reads_first"), [(299, True), (301, False)])
def test_a_request_older_than_five_minutes_reads_its_secret_once_the_parameters_are_there(
    world, held, age_seconds, reads_first
):
    event = world.create_request(world.external_key(), SecretId=world.secret(KEY).name)
    world.clock.advance(age_seconds)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=5)

    assert world.invoke_to_the_end(event)["Status"] == "SUCCESS"

    assert (reads(world)[0] == "GetSecretValue") == reads_first
    assert reads(world).count("GetSecretValue") == 1 + reads_first


def test_a_mistake_in_an_old_request_s_secret_costs_one_parameter_request(world, held):
    event = world.create_request(world.external_key(), SecretId=world.secret(KEY + b"\n").name)
    world.clock.advance(301)

    answer = world.invoke(event)

    assert "33 bytes" in answer["Reason"]
    assert answer["Reason"].endswith("Nothing was imported.")
    assert world.aws.count("GetParametersForImport") == 1
    assert world.aws.count("ImportKeyMaterial") == 0


def test_an_old_request_whose_declaration_is_wrong_costs_none_and_reads_nothing(world, held):
    event = world.create_request(world.external_key(), SecretId=world.secret(KEY, tag="billing").name)
    world.clock.advance(301)

    assert world.invoke(event)["Status"] == "FAILED"
    assert reads(world) == []


def test_an_old_request_for_a_key_that_holds_other_bytes_is_refused_before_the_import(world, held):
    key = world.external_key("HMAC_256")
    import_material(world.session().client("kms"), key, KEY)
    world.aws.calls.clear()
    event = world.create_request(key, SecretId=world.secret(OTHER).name)
    world.clock.advance(301)

    assert "other material than the key holds" in world.invoke(event)["Reason"]
    assert world.aws.count("ImportKeyMaterial") == 0


def test_bytes_that_changed_under_their_version_are_not_imported(world, held):
    """Secrets Manager never does that. But an import is permanent, so the function checks it."""
    key, secret = world.external_key(), world.secret(KEY, version_id=V1)
    world.aws.faults.inject("GetParametersForImport", Fault.THROTTLED, times=3)

    def change(call, at):
        if (call.operation, at) == ("GetParametersForImport", Moment.BEFORE):
            secret.versions[V1].value = OTHER

    world.aws.hooks.append(change)
    answer = world.create(key, SecretId=secret.name)

    assert answer["Reason"].startswith("SecretId: The secret's version holds other bytes than when it was checked.")
    assert world.aws.count("ImportKeyMaterial") == 0
