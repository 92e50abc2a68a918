"""A stack declares its material, and the key holds it: the deployed zips, the role's own rights, real stacks."""

import base64
import hashlib
import hmac
import json

import pytest

from imported_key_material.lifecycle import attributes
from lab.keys.by_hand import oaep, wrap
from lab.keys.private_keys import key_for, pkcs8_der, pkcs8_pem, spki_der
from lab.keys.random_keys import random_key
from lab.kms import ciphertext

MESSAGE = b"what the key is used for"
HMAC_BYTES = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
SIGNATURES = {
    "RSA_2048": "RSASSA_PSS_SHA_256",
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "ECC_NIST_P384": "ECDSA_SHA_384",
    "ECC_NIST_P521": "ECDSA_SHA_512",
    "ECC_SECG_P256K1": "ECDSA_SHA_256",
    "ECC_NIST_EDWARDS25519": "ED25519_SHA_512",
}


def public_key_hash(spec):
    return f"SHA256:{hashlib.sha256(spki_der(key_for(spec))).hexdigest().upper()}"


def test_a_symmetric_key_from_a_wrapped_secret(scene):
    transport = scene.key()
    secret = scene.secret(scene.encrypted(random_key(32), transport))
    wrapping = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": transport}
    material = scene.material({"Fn::GetAtt": ["Key", "Arn"]}, secret, SecretWrapping=wrapping)

    stack = scene.create(
        {"Key": scene.stack_key(), "Material": material},
        {"Ref": {"Ref": "Material"}, **{name: {"Fn::GetAtt": ["Material", name]} for name in attributes.NONE}},
    )

    assert stack.status == "CREATE_COMPLETE"
    key = stack.outputs["KeyArn"]
    looked = scene.look(key)
    assert stack.outputs == {
        "Ref": looked["Arn"],
        "KeyArn": looked["Arn"],
        "KeyId": looked["KeyId"],
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": looked["CurrentKeyMaterialId"],
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "ValidTo": "",
        "CheckValue": "",
    }
    blob = scene.kms.encrypt(KeyId=key, Plaintext=MESSAGE)["CiphertextBlob"]
    assert ciphertext.open_sealed(ciphertext.take_apart(blob), random_key(32), {}) == MESSAGE


def test_an_alias_waits_until_the_key_can_be_used(scene):
    secret = scene.secret(random_key(32))

    scene.create(
        {
            "Key": scene.stack_key(),
            "Material": scene.material({"Ref": "Key"}, secret),
            "Alias": {
                "Type": "AWS::KMS::Alias",
                "Properties": {
                    "AliasName": f"alias/{scene.name}",
                    "TargetKeyId": {"Fn::GetAtt": ["Material", "KeyArn"]},
                },
            },
        }
    )

    assert scene.state(f"alias/{scene.name}") == "Enabled"


def test_hmac_keys_of_every_size_in_one_stack(scene):
    resources, outputs = {}, {}
    for spec, size in HMAC_BYTES.items():
        name = spec.replace("_", "")
        text = json.dumps({"key": base64.b64encode(random_key(size)).decode(), "made": "2026"})
        secret = scene.secret(text, name)
        resources[f"Key{name}"] = scene.stack_key(spec, KeyUsage="GENERATE_VERIFY_MAC")
        resources[name] = scene.material({"Ref": f"Key{name}"}, secret, SecretJsonKey="key")
        outputs[name] = {"Fn::GetAtt": [name, "KeyArn"]}

    stack = scene.create(resources, outputs)

    assert stack.status == "CREATE_COMPLETE"
    for spec, size in HMAC_BYTES.items():
        bits = spec.removeprefix("HMAC_")
        key = stack.outputs[spec.replace("_", "")]
        mac = scene.kms.generate_mac(KeyId=key, Message=MESSAGE, MacAlgorithm=f"HMAC_SHA_{bits}")["Mac"]
        assert mac == hmac.digest(random_key(size), MESSAGE, f"sha{bits}")


def test_signing_keys_of_every_kind_in_one_stack(scene):
    resources, outputs = {}, {}
    for number, spec in enumerate(SIGNATURES):
        name = spec.replace("_", "")
        key = key_for(spec)
        secret = scene.secret(pkcs8_pem(key) if number % 2 else pkcs8_der(key), name)
        resources[f"Key{name}"] = scene.stack_key(spec, KeyUsage="SIGN_VERIFY")
        resources[name] = scene.material({"Ref": f"Key{name}"}, secret, WrappingKeySpec="RSA_3072")
        outputs[name] = {"Fn::GetAtt": [name, "KeyArn"]}
        outputs[f"{name}Check"] = {"Fn::GetAtt": [name, "CheckValue"]}

    stack = scene.create(resources, outputs)

    assert stack.status == "CREATE_COMPLETE"
    for spec, algorithm in SIGNATURES.items():
        name = spec.replace("_", "")
        key = stack.outputs[name]
        assert stack.outputs[f"{name}Check"] == public_key_hash(spec)
        assert scene.kms.get_public_key(KeyId=key)["PublicKey"] == spki_der(key_for(spec))
        signature = scene.kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
        assert scene.kms.verify(KeyId=key, Message=MESSAGE, Signature=signature, SigningAlgorithm=algorithm)


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"])
def test_a_secret_wrapped_under_an_rsa_key_is_opened_by_kms(scene, algorithm):
    transport = scene.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    wrapped = wrap_under(scene, transport, algorithm, random_key(32))
    secret = scene.secret(wrapped)
    key = scene.empty_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    wrapping = {"Algorithm": algorithm, "KeyId": transport}

    stack = scene.create({"Material": scene.material(key, secret, SecretWrapping=wrapping)})

    assert stack.status == "CREATE_COMPLETE"
    mac = scene.kms.generate_mac(KeyId=key, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert mac == hmac.digest(random_key(32), MESSAGE, "sha256")


def wrap_under(scene, transport, algorithm, material):
    return wrap(algorithm, scene.kms.get_public_key(KeyId=transport)["PublicKey"], material)


def test_a_secret_under_a_customers_own_key_is_read(scene):
    own = scene.key(consent=None)
    full = f"{scene.name}/material"
    tags = [{"Key": "imported-key-material", "Value": scene.name}]
    scene.secretsmanager.create_secret(Name=full, SecretBinary=random_key(32), KmsKeyId=own, Tags=tags)
    key = scene.empty_key()

    stack = scene.create({"Material": scene.material(key, full)})

    assert stack.status == "CREATE_COMPLETE"
    assert scene.state(key) == "Enabled"


def test_an_rsa_key_for_encryption_opens_what_its_public_key_closed(scene):
    key = scene.empty_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")

    scene.create({"Material": scene.material(key, scene.secret(pkcs8_pem(key_for("RSA_2048"))))})

    closed = key_for("RSA_2048").public_key().encrypt(MESSAGE, oaep("RSAES_OAEP_SHA_256"))
    opened = scene.kms.decrypt(KeyId=key, CiphertextBlob=closed, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert opened["Plaintext"] == MESSAGE


def test_what_the_properties_leave_open_is_chosen_as_documented(scene):
    """Without WrappingKeySpec it is RSA_4096; the log shows the algorithm."""
    key = scene.empty_key()
    material = scene.material(key, scene.secret(random_key(32)))
    del material["Properties"]["WrappingKeySpec"]

    assert scene.create({"Material": material}).status == "CREATE_COMPLETE"
    [told] = [line for line in scene.aws.logs().splitlines() if key in line and '"imported"' in line]
    assert json.loads(told)["wrapping_algorithm"] == "RSAES_OAEP_SHA_256"
