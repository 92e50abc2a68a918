"""One answer of GetParametersForImport: for one key, never mixed with another answer, and good for a real import."""

import dataclasses
import hashlib
import hmac
import os

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from imported_key_material.aws.import_parameters import ImportParameters
from imported_key_material.errors import ServiceRefused
from imported_key_material.material import material_check
from imported_key_material.material.key_specs import key_spec
from lab.clock import VirtualClock
from lab.kms.service import StrictKms
from lab.kms.wire import KmsWire
from lab.wire.in_process import InProcessAws

ALGORITHM = "RSAES_OAEP_SHA_256"
SECRET = os.urandom(32)
NOT_OF_THIS_KEY = (
    "KeyId: KMS answered kms:GetParametersForImport for {arn} with parameters of another key, or with a wrapping public key "
    "that is no RSA key. Please report this."
)


@pytest.fixture
def kms():
    clock = VirtualClock()
    with InProcessAws(clock, [KmsWire(StrictKms(clock))]) as aws:
        yield aws.client("kms")


@pytest.fixture
def arn(kms):
    return hmac_key(kms)


def hmac_key(kms):
    made = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", Origin="EXTERNAL")
    return made["KeyMetadata"]["Arn"]


def answer_for(kms, arn, algorithm=ALGORITHM):
    return kms.get_parameters_for_import(KeyId=arn, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")


def checked(secret=SECRET):
    return material_check.check(secret, key_spec("HMAC_256"))


def imported(kms, sealed):
    kms.import_key_material(
        KeyId=sealed.key_arn,
        EncryptedKeyMaterial=sealed.encrypted_key_material,
        ImportToken=sealed.import_token,
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"])
def test_what_the_parameters_seal_kms_opens_and_holds(kms, arn, algorithm):
    answer = answer_for(kms, arn, algorithm)

    sealed = ImportParameters.of_answer(answer, key_arn=arn, algorithm=algorithm).seal(checked())

    assert (sealed.key_arn, sealed.import_token) == (arn, answer["ImportToken"])
    imported(kms, sealed)
    mac = hmac.digest(SECRET, b"message", hashlib.sha256)
    assert kms.verify_mac(KeyId=arn, Message=b"message", Mac=mac, MacAlgorithm="HMAC_SHA_256")["MacValid"]


def test_what_was_sealed_for_one_key_another_does_not_take(kms, arn):
    other = hmac_key(kms)
    sealed = ImportParameters.of_answer(answer_for(kms, arn), key_arn=arn, algorithm=ALGORITHM).seal(checked())

    with pytest.raises(ClientError, match="InvalidImportTokenException"):
        kms.import_key_material(
            KeyId=other,
            EncryptedKeyMaterial=sealed.encrypted_key_material,
            ImportToken=sealed.import_token,
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        )


def test_one_answer_may_seal_more_than_once(kms, arn):
    parameters = ImportParameters.of_answer(answer_for(kms, arn), key_arn=arn, algorithm=ALGORITHM)

    first, second = parameters.seal(checked()), parameters.seal(checked())

    assert first.encrypted_key_material != second.encrypted_key_material  # OAEP has a new seed
    imported(kms, first)
    imported(kms, second)


def test_an_answer_for_another_key_seals_nothing(kms, arn):
    other = hmac_key(kms)

    with pytest.raises(ServiceRefused) as refused:
        ImportParameters.of_answer(answer_for(kms, other), key_arn=arn, algorithm=ALGORITHM)

    assert str(refused.value) == NOT_OF_THIS_KEY.format(arn=arn)
    assert (refused.value.operation, refused.value.code) == ("kms:GetParametersForImport", "")


def der(key):
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


RSA_2048 = rsa.generate_private_key(65537, 2048).public_key()
SPKI = der(RSA_2048)
P256 = der(ec.generate_private_key(ec.SECP256R1()).public_key())


@pytest.mark.parametrize(
    "public_key",
    [
        b"",
        b"no DER",
        SPKI[:-1],
        SPKI + b"\0",
        P256,
        RSA_2048.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        bytes.fromhex("300b300506032a030403020001"),
        P256.replace(bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a811ccf5501822d")),
    ],
    ids=["nothing", "no DER", "cut", "too long", "EC", "PEM", "unknown algorithm", "unsupported curve"],
)
def test_an_answer_whose_public_key_is_no_rsa_key_in_der_seals_nothing(kms, arn, public_key):
    answer = answer_for(kms, arn) | {"PublicKey": public_key}

    with pytest.raises(ServiceRefused) as refused:
        ImportParameters.of_answer(answer, key_arn=arn, algorithm=ALGORITHM)

    assert str(refused.value) == NOT_OF_THIS_KEY.format(arn=arn)
    assert refused.value.__context__ is None


def test_neither_parameters_nor_what_they_sealed_can_be_taken_apart_or_shown(kms, arn):
    answer = answer_for(kms, arn)
    parameters = ImportParameters.of_answer(answer, key_arn=arn, algorithm=ALGORITHM)
    sealed = parameters.seal(checked())

    assert [name for name in dir(parameters) if not name.startswith("_")] == ["of_answer", "seal"]
    for value in (parameters, sealed):
        assert repr(answer["ImportToken"]) not in repr(value)
        assert repr(sealed.encrypted_key_material) not in repr(value)
        assert "RSAPublicKey" not in repr(value)
        for field in dataclasses.fields(value):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, field.name, None)
