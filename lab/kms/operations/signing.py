"""MACs, signatures, key agreement, and public keys (C-82, C-110, C-111)."""

import hmac

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from lab.kms import crypto
from lab.kms.call import Answer, Call, Target
from lab.kms.errors import KmsError, not_modelled, unsupported
from lab.kms.operations.keys import metadata
from lab.kms.operations.usable import current, private_key_of, require_not_dry, usable
from lab.kms.specs import AGREE, MAC, SIGN


def generate_mac(call: Call) -> Answer:
    target, algorithm, mac = _mac(call)
    return {"Mac": mac, "MacAlgorithm": algorithm, "KeyId": target.arn}


def verify_mac(call: Call) -> Answer:
    target, algorithm, mac = _mac(call)
    if not hmac.compare_digest(mac, call.params["Mac"]):
        raise KmsError("KMSInvalidMacException")  # C-82
    return {"KeyId": target.arn, "MacValid": True, "MacAlgorithm": algorithm}


def _mac(call: Call) -> tuple[Target, str, bytes]:
    algorithm = call.params["MacAlgorithm"]
    target = usable(call, MAC, algorithm)
    require_not_dry(call)
    return target, algorithm, crypto.mac(current(target)[1], algorithm, call.params["Message"])


def sign(call: Call) -> Answer:
    target, arguments = _signing(call)
    signature = crypto.sign(private_key_of(target), *arguments)
    return {"KeyId": target.arn, "Signature": signature, "SigningAlgorithm": call.params["SigningAlgorithm"]}


def verify(call: Call) -> Answer:
    target, arguments = _signing(call)
    if not crypto.is_signature(private_key_of(target), *arguments, call.params["Signature"]):
        raise KmsError("KMSInvalidSignatureException")  # C-82
    return {"KeyId": target.arn, "SignatureValid": True, "SigningAlgorithm": call.params["SigningAlgorithm"]}


def _signing(call: Call) -> tuple[Target, tuple[str, bytes, str]]:
    params = call.params
    algorithm = params["SigningAlgorithm"]
    target = usable(call, SIGN, algorithm)
    require_not_dry(call)
    return target, (algorithm, params["Message"], params.get("MessageType", "RAW"))


# -------------------------------------------------------------------------------------- key agreement and the public key


def derive_shared_secret(call: Call) -> Answer:
    algorithm = call.params["KeyAgreementAlgorithm"]
    target = usable(call, AGREE, algorithm)
    require_not_dry(call)
    private_key = private_key_of(target)
    if not isinstance(private_key, EllipticCurvePrivateKey):
        raise AssertionError("a key agreement key that is not on a curve")
    return {
        "KeyId": target.arn,
        "SharedSecret": crypto.shared_secret(private_key, call.params["PublicKey"]),
        "KeyAgreementAlgorithm": algorithm,
        "KeyOrigin": target.family.origin,
    }


def get_public_key(call: Call) -> Answer:
    """C-110: the private key's SubjectPublicKeyInfo, byte for byte."""
    if call.params.get("GrantTokens"):
        raise not_modelled("GrantTokens")
    target = call.target(by_alias=True, cross_account=True)
    family = target.family
    if family.spec.is_secret:
        raise unsupported(f"{target.arn} key spec is {family.spec_name} which is not valid for GetPublicKey.")
    target.require_state(call.operation)
    shown = metadata(target)
    wanted = ("CustomerMasterKeySpec", "KeySpec", "KeyUsage", "EncryptionAlgorithms", "SigningAlgorithms")
    answer: Answer = {name: shown[name] for name in (*wanted, "KeyAgreementAlgorithms") if name in shown}
    return {"KeyId": target.arn, "PublicKey": crypto.public_key(private_key_of(target))} | answer
