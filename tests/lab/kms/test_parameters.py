"""The strict KMS and import parameters: tokens and public keys (docs/internals/kms-contract.md, C-20 to C-24)."""

from datetime import timedelta

import pytest

from lab.keys.by_hand import FOR_EVER, parameters, wrap
from tests.support.kms_bench import DAY_SECONDS

MATERIAL = bytes(range(32))


def send(bench, key, given, blob, **more):
    more = more or {"ExpirationModel": FOR_EVER}
    return bench.kms.import_key_material(KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=blob, **more)


def test_parameters_are_valid_for_24_hours_and_name_the_key_by_its_arn(bench):
    key = bench.key()

    given = parameters(bench.kms, key.rpartition("/")[2])

    assert given["KeyId"] == key
    assert given["ParametersValidTo"] == bench.clock.now() + timedelta(hours=24)


def test_a_token_works_until_just_before_24_hours_have_passed(bench):
    key = bench.key()
    given = parameters(bench.kms, key)
    blob = wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL)

    bench.clock.advance(DAY_SECONDS)
    with bench.refuses("ExpiredImportTokenException", ""):
        send(bench, key, given, blob)


def test_a_token_is_good_a_second_before_its_end(bench):
    key = bench.key()
    given = parameters(bench.kms, key)
    bench.clock.advance(DAY_SECONDS - 1)

    send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))

    assert bench.state(key) == "Enabled"


def test_one_token_serves_several_imports_also_after_a_newer_one_was_given_out(bench):
    key = bench.key()
    older = parameters(bench.kms, key)
    parameters(bench.kms, key)

    first = send(bench, key, older, wrap("RSAES_OAEP_SHA_256", older["PublicKey"], MATERIAL))
    again = send(bench, key, older, wrap("RSAES_OAEP_SHA_256", older["PublicKey"], MATERIAL))

    assert first["KeyMaterialId"] == again["KeyMaterialId"]


def test_the_token_of_another_key_is_refused_without_a_word(bench):
    key = bench.key()
    given = parameters(bench.kms, bench.key())

    with bench.refuses("InvalidImportTokenException", ""):
        send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))


def test_the_token_of_the_same_key_s_replica_is_another_key_s_token(bench):
    key = bench.filled_key(MultiRegion=True)
    _, there = bench.replica(key)
    given = parameters(there, key.rpartition("/")[2])

    with bench.refuses("InvalidImportTokenException", ""):
        send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))


@pytest.mark.parametrize("damage", [lambda token: b"x" + token[1:], lambda token: token[:-1], lambda _: b"token"])
def test_a_corrupt_token_is_refused_without_a_word(bench, damage):
    key = bench.key()
    given = parameters(bench.kms, key)
    given["ImportToken"] = damage(given["ImportToken"])

    with bench.refuses("InvalidImportTokenException", ""):
        send(bench, key, given, wrap("RSAES_OAEP_SHA_256", given["PublicKey"], MATERIAL))


def test_a_public_key_and_a_token_of_two_answers_do_not_go_together(bench):
    key = bench.key()
    one, two = parameters(bench.kms, key), parameters(bench.kms, key)

    with bench.refuses("InvalidCiphertextException", ""):
        send(bench, key, one, wrap("RSAES_OAEP_SHA_256", two["PublicKey"], MATERIAL))


def test_parameters_are_given_for_a_disabled_key(bench):
    key = bench.filled_key()
    bench.kms.disable_key(KeyId=key)

    assert parameters(bench.kms, key)["KeyId"] == key


def test_a_key_that_kms_made_the_material_of_takes_none_from_outside(bench):
    key = bench.key(Origin="AWS_KMS")
    sentence = f"{key} origin is AWS_KMS which is not valid for this operation."

    with bench.refuses("UnsupportedOperationException", sentence):
        parameters(bench.kms, key)
    with bench.refuses("UnsupportedOperationException", sentence):
        bench.kms.import_key_material(KeyId=key, ImportToken=b"t", EncryptedKeyMaterial=b"m")
    with bench.refuses("UnsupportedOperationException", sentence):
        bench.kms.delete_imported_key_material(KeyId=key)
