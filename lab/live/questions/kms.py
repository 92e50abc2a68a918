"""Questions to KMS: what a key shows, and texts of errors. Rules (C-n): docs/internals/kms-contract.md."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from lab.keys.by_hand import import_material, parameters, wrap
from lab.live.made import DAYS_UNTIL_DELETION
from lab.live.questions.question import Asked, Question, error_of, which_of
from lab.live.questions.stacks import NO_KEY
from lab.live.questions.things import CONTEXT

NEVER_HAD: Final = "0123456789abcdef" * 4
ALGORITHM: Final = "RSAES_OAEP_SHA_256"
SHOWN_WITH_MATERIAL: Final = ("ExpirationModel", "ValidTo", "CurrentKeyMaterialId")


def _key(asked: Asked, key: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = asked.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    return answer


def _in(asked: Asked, **more: float) -> datetime:
    return asked.made.account.now() + timedelta(**more)


def _new(asked: Asked) -> dict[str, Any]:
    key = _key(asked, asked.things.empty)
    return {"enabled": key["Enabled"], "state": key["KeyState"], **which_of(key, SHOWN_WITH_MATERIAL)}


def _import(asked: Asked, key: str, material: bytes, **more: Any) -> dict[str, str]:
    return error_of(lambda: import_material(asked.client("kms"), key, material, **more))


def _other_expiry(asked: Asked) -> dict[str, Any]:
    """Both ways: it expires, later, never."""
    key, material = asked.things.filled, asked.things.material
    said: dict[str, Any] = {}
    for name, more in (
        ("expires", {"ValidTo": _in(asked, days=1)}),
        ("later", {"ValidTo": _in(asked, days=2)}),
        ("never", {}),
    ):
        said[name] = {**_import(asked, key, material, **more), "model": _key(asked, key)["ExpirationModel"]}
    return said


def _valid_to(asked: Asked) -> dict[str, Any]:
    asked_for = _in(asked, days=1).replace(microsecond=700_000)
    code = _import(asked, asked.things.filled, asked.things.material, ValidTo=asked_for)
    shown = _key(asked, asked.things.filled)["ValidTo"]
    return {**code, "cut_to_the_second": shown == asked_for.replace(microsecond=0)}


def _context(asked: Asked) -> dict[str, str]:
    kms, ciphertext = asked.client("kms"), asked.things.ciphertext
    other = {**CONTEXT, "another": "one"}
    return error_of(lambda: kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext=other))


def _refused(asked: Asked, material: bytes, token: bytes | None = None, **more: Any) -> dict[str, str]:
    """Of an import into `empty` that must fail: nothing is in it afterwards."""
    kms = asked.client("kms")
    given = parameters(kms, asked.things.empty)
    blob = wrap(ALGORITHM, given["PublicKey"], material)
    more.setdefault("ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    return error_of(
        lambda: kms.import_key_material(
            KeyId=asked.things.empty,
            ImportToken=token or given["ImportToken"],
            EncryptedKeyMaterial=blob,
            **{name: value for name, value in more.items() if value is not None},
        )
    )


def _token_of_another(asked: Asked) -> dict[str, str]:
    token = bytes(parameters(asked.client("kms"), asked.things.hmac)["ImportToken"])
    return _refused(asked, asked.things.keep(os.urandom(32)), token)


def _expires(asked: Asked, valid_to: datetime | None, model: str | None) -> dict[str, str]:
    return _refused(asked, asked.things.keep(os.urandom(32)), ValidTo=valid_to, ExpirationModel=model)


def _with_id(asked: Asked) -> dict[str, bool]:
    return {
        "symmetric": "CurrentKeyMaterialId" in _key(asked, asked.things.filled),
        "hmac": "CurrentKeyMaterialId" in _key(asked, _filled_hmac(asked)),
    }


def _filled_hmac(asked: Asked) -> str:
    key = asked.made.key("asked-filled-hmac", "HMAC_256")
    import_material(asked.client("kms"), key, asked.things.keep(os.urandom(32)))
    return key


def _deleted_twice(asked: Asked) -> list[dict[str, str]]:
    """Of a key that never had material."""
    kms = asked.client("kms")
    return [error_of(lambda: kms.delete_imported_key_material(KeyId=asked.things.empty)) for _ in range(2)]


def _materials(asked: Asked) -> list[dict[str, str]]:
    kms, key = asked.client("kms"), asked.things.filled
    listed = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    return [{name: one.get(name, "") for name in ("KeyMaterialState", "ImportState", "RotationType")} for one in listed]


def _of_unknown(asked: Asked) -> str:
    account = asked.made.account
    return f"arn:{account.partition}:kms:{account.region}:{account.number}:key/{NO_KEY}"


QUESTIONS: Final = (
    Question("kms:new-key", "What does a new key with Origin EXTERNAL show?", _new),
    Question("kms:other-expiry", "Does KMS take the same material with another expiry, both ways?", _other_expiry),
    Question("kms:valid-to", "What becomes of ValidTo's fraction of a second?", _valid_to),
    Question(
        "kms:disable-empty",
        "What does DisableKey say of a key in PendingImport?",
        lambda asked: error_of(lambda: asked.client("kms").disable_key(KeyId=asked.things.empty)),
    ),
    Question(
        "kms:delete-twice",
        "What does ScheduleKeyDeletion say of a key that is PendingDeletion?",
        lambda asked: error_of(
            lambda: asked.client("kms").schedule_key_deletion(
                KeyId=asked.things.going, PendingWindowInDays=DAYS_UNTIL_DELETION
            )
        ),
    ),
    Question(
        "kms:parameters-of-deleted",
        "What does GetParametersForImport say of a key that is PendingDeletion?",
        lambda asked: error_of(lambda: parameters(asked.client("kms"), asked.things.going)),
    ),
    Question("kms:other-context", "What does Decrypt say with another encryption context?", _context),
    Question("kms:current-id", "Which keys have CurrentKeyMaterialId?", _with_id),
    Question(
        "kms:unknown-key",
        "What does DescribeKey say of a key that does not exist?",
        lambda asked: error_of(lambda: _key(asked, _of_unknown(asked))),
    ),
    Question(
        "kms:malformed-id",
        "What does DescribeKey say of a text that can't be a key's id?",
        lambda asked: error_of(lambda: _key(asked, "no-id")),
    ),
    Question(
        "kms:parameters-of-other-origin",
        "What does GetParametersForImport say of a key whose Origin is AWS_KMS?",
        lambda asked: error_of(lambda: parameters(asked.client("kms"), asked.things.of_kms)),
    ),
    Question(
        "kms:wrong-wrapping",
        "What does GetParametersForImport say of RSA_AES_KEY_WRAP_SHA_256 for a symmetric key?",
        lambda asked: error_of(lambda: parameters(asked.client("kms"), asked.things.empty, "RSA_AES_KEY_WRAP_SHA_256")),
    ),
    Question("kms:token-of-another-key", "What does KMS say of another key's import token?", _token_of_another),
    Question(
        "kms:material-too-long",
        "What does KMS say of 33 bytes for a symmetric key?",
        lambda asked: _refused(asked, asked.things.keep(os.urandom(33))),
    ),
    Question(
        "kms:expiry-in-the-past",
        "What does KMS say of a ValidTo in the past?",
        lambda asked: _expires(asked, _in(asked, days=-1), "KEY_MATERIAL_EXPIRES"),
    ),
    Question(
        "kms:expiry-too-late",
        "What does KMS say of a ValidTo in 366 days?",
        lambda asked: _expires(asked, _in(asked, days=366), "KEY_MATERIAL_EXPIRES"),
    ),
    Question(
        "kms:expiry-without-date",
        "What does KMS say if neither ExpirationModel nor ValidTo is given?",
        lambda asked: _expires(asked, None, None),
    ),
    Question("kms:empty-twice", "What does DeleteImportedKeyMaterial say of an empty key, twice?", _deleted_twice),
    Question(
        "kms:never-imported",
        "What does DeleteImportedKeyMaterial say of a KeyMaterialId that the key never had?",
        lambda asked: error_of(
            lambda: asked.client("kms").delete_imported_key_material(KeyId=asked.things.filled, KeyMaterialId=NEVER_HAD)
        ),
    ),
    Question(
        "kms:rotate-empty",
        "What does RotateKeyOnDemand say of a key in PendingImport?",
        lambda asked: error_of(lambda: asked.client("kms").rotate_key_on_demand(KeyId=asked.things.empty)),
    ),
    Question(
        "kms:rotate-nothing",
        "What does RotateKeyOnDemand say if nothing is pending?",
        lambda asked: error_of(lambda: asked.client("kms").rotate_key_on_demand(KeyId=asked.things.filled)),
    ),
    Question(
        "kms:materials-of-hmac",
        "What does ListKeyRotations say of IncludeKeyMaterial for an HMAC key?",
        lambda asked: error_of(
            lambda: asked.client("kms").list_key_rotations(
                KeyId=asked.things.hmac, IncludeKeyMaterial="ALL_KEY_MATERIAL"
            )
        ),
    ),
    Question(
        "kms:import-type-of-hmac",
        "What does KMS say of ImportType for an HMAC key?",
        lambda asked: _import(
            asked, asked.things.hmac, asked.things.keep(os.urandom(32)), ImportType="EXISTING_KEY_MATERIAL"
        ),
    ),
    # Choices of lab/kms/choices.py, where the contract is silent.
    Question(
        "kms-choices:alias",
        "What does GetParametersForImport say of an alias?",
        lambda asked: error_of(lambda: parameters(asked.client("kms"), f"alias/{asked.things.name('alias')}")),
    ),
    Question(
        "kms-choices:existing-of-empty",
        "What does KMS say of EXISTING_KEY_MATERIAL for a key that never had any?",
        lambda asked: _refused(asked, asked.things.keep(os.urandom(32)), ImportType="EXISTING_KEY_MATERIAL"),
    ),
    Question(
        "kms-choices:public-key-of-empty",
        "What does GetPublicKey say of a key in PendingImport?",
        lambda asked: error_of(lambda: asked.client("kms").get_public_key(KeyId=asked.things.rsa)),
    ),
    Question(
        "kms-choices:cancel-nothing",
        "What does CancelKeyDeletion say of a key that is not scheduled for deletion?",
        lambda asked: error_of(lambda: asked.client("kms").cancel_key_deletion(KeyId=asked.things.empty)),
    ),
    Question(
        "kms-choices:one-material",
        "Which materials does ListKeyRotations list of a key with one material?",
        _materials,
    ),
)
