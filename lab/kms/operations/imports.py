"""ImportKeyMaterial and DeleteImportedKeyMaterial (C-20 to C-43, C-70 to C-73)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from lab.kms import material
from lab.kms.call import Answer, Call, Target
from lab.kms.errors import KmsError, invalid_state, validation
from lab.kms.keys import Holding, Material, MaterialState
from lab.kms.material import Secret
from lab.kms.operations.keys import material_id
from lab.kms.specs import may_wrap
from lab.kms.wrapping import unwrap

MAX_VALIDITY = timedelta(days=365)
_EXPIRES, _DOES_NOT_EXPIRE = "KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"
_NEW, _EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
# #: C-35, in the sentence's spelling.
_SYMMETRIC_ONLY: Mapping[str, str] = {
    "ImportType": "importType",
    "KeyMaterialDescription": "keyMaterialDescription",
    "KeyMaterialId": "keyMaterialId",
}


def get_parameters_for_import(call: Call) -> Answer:
    target = call.target()
    target.require_external()
    target.require_state(call.operation)
    algorithm, wrapping_spec = call.params["WrappingAlgorithm"], call.params["WrappingKeySpec"]
    if not may_wrap(target.family.spec, algorithm, wrapping_spec, target.family.partition):  # C-10 to C-13, C-16
        raise validation(
            f"Wrapping algorithm {algorithm} and wrapping key spec {wrapping_spec} cannot be used to import a "
            f"{target.family.spec_name} key."
        )
    parameters = call.backstage.wrapping.parameters(target.arn, algorithm, wrapping_spec, call.now)
    return {
        "KeyId": target.arn,
        "ImportToken": parameters.token,
        "PublicKey": parameters.public_key,
        "ParametersValidTo": parameters.valid_to,
    }


# --------------------------------------------------------------------------------------------------------------- import


def import_key_material(call: Call) -> Answer:
    target = call.target()
    target.require_external()
    target.require_state(call.operation)
    _require_parameters_for_key(call, target)
    valid_to = _valid_to(call)
    token = call.backstage.wrapping.read(call.params["ImportToken"], target.arn, call.now)
    secret = material.read(unwrap(token, call.params["EncryptedKeyMaterial"]), target.family.spec)
    imported = _associate(call, target, secret)

    target.family.put(imported)
    target.key.holdings[imported.id] = Holding(secret, valid_to)
    target.key.lapsed.pop(imported.id, None)
    target.key.switched_on = True  # C-36
    answer = {"KeyId": target.arn}
    return answer | {"KeyMaterialId": imported.id} if target.family.is_symmetric else answer


def _require_parameters_for_key(call: Call, target: Target) -> None:
    params, family = call.params, target.family
    if not family.is_symmetric:  # C-35
        for parameter, shown in _SYMMETRIC_ONLY.items():
            if parameter in params:
                raise _symmetric_only(shown, family.spec_name)
    if target.is_replica:  # C-62
        if "KeyMaterialDescription" in params:
            raise validation("Key material description can only be specified on primary Multi-Region keys")
        if params.get("ImportType") == _NEW:
            raise validation("Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys")
    if params.get("ImportType") == _NEW and "KeyMaterialId" in params:  # C-41
        raise validation("Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.")


def _symmetric_only(parameter: str, spec_name: str) -> KmsError:
    return validation(f"Input parameter {parameter} cannot be used with {spec_name} imported keys.")


def _valid_to(call: Call) -> datetime | None:
    """C-33, C-34: None if it does not expire."""
    model, valid_to = call.params.get("ExpirationModel", _EXPIRES), call.params.get("ValidTo")
    if model == _DOES_NOT_EXPIRE:
        if valid_to is not None:
            raise validation(f"A validTo date cannot be set if the ExpirationModel is {_DOES_NOT_EXPIRE}")
        return None
    if valid_to is None:
        raise validation(f"A validTo date must be set if the ExpirationModel is {_EXPIRES}")
    if valid_to <= call.now:
        raise validation("ValidTo must be in the future")
    if valid_to >= call.now + MAX_VALIDITY:
        raise validation("ValidTo must be less than 365 days in the future")
    cut: datetime = valid_to.replace(microsecond=0)
    return cut


def _associate(call: Call, target: Target, secret: Secret) -> Material:
    """The key's entry for these bytes after the import. Raises if the key refuses them. Changes nothing (C-38).

    The same bytes have the same id, so a repeated import changes nothing (C-32, C-103). A replica knows the materials of its
    primary (C-61). A material that was current before keeps its state: no import makes it current again (C-47).
    """
    family = target.family
    id_ = material_id(call, family, secret.encoded)
    known = family.material(id_)
    description = call.params.get("KeyMaterialDescription")
    if _is_new(call, target):
        if known is not None:  # C-41
            raise _incorrect(
                f"Key material (id: {id_}) being imported as {_NEW} is already associated with KMS key {target.arn}."
            )
        if family.pending is not None:  # C-40
            raise invalid_state(
                f"New key material (id: {id_}) cannot be imported into KMS key {target.arn}, because another key "
                f"material (id: {family.pending.id}) is pending rotation."
            )
        first = family.current is None
        return Material(id_, MaterialState.CURRENT if first else MaterialState.PENDING, description)
    expected = call.params.get("KeyMaterialId")
    if known is None or expected not in {None, id_}:  # C-31, C-42
        expected = expected or (family.current.id if family.current else None)
        raise _incorrect(expected and f"Imported key material does not have the expected identifier ({expected}).")
    return known if description is None else replace(known, description=description)


def _is_new(call: Call, target: Target) -> bool:
    """C-42: without ImportType, a key that never had material gets new material; any other key re-imports."""
    type_ = call.params.get("ImportType")
    if type_ is not None:
        return bool(type_ == _NEW)
    return "KeyMaterialId" not in call.params and target.family.current is None


def _incorrect(message: str | None) -> KmsError:
    return KmsError("IncorrectKeyMaterialException", message)


# --------------------------------------------------------------------------------------------------------------- delete


def delete_imported_key_material(call: Call) -> Answer:
    target = call.target()
    target.require_external()
    family, named = target.family, call.params.get("KeyMaterialId")
    if named is not None and not family.is_symmetric:
        raise _symmetric_only("keyMaterialId", family.spec_name)
    target.require_state(call.operation)
    doomed = family.current if named is None else family.material(named)
    if named is not None and doomed is None:  # C-72
        raise validation(f"Key material (id: {named}) has never been imported into KMS key {target.arn}.")

    answer: Answer = {"KeyId": target.arn}
    if doomed is None:
        return answer  # C-71
    if doomed.state is MaterialState.PENDING and not target.is_replica:
        family.forget(doomed.id)  # C-43, C-64
    else:
        target.key.holdings.pop(doomed.id, None)  # C-70
        target.key.lapsed.pop(doomed.id, None)
    return answer | {"KeyMaterialId": doomed.id} if family.is_symmetric else answer
