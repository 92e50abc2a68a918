"""The ImportKeyMaterial calls for a symmetric key: their order and parameters. The key's list and KMS are scripted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from imported_key_material.aws.held_materials import Expiry
from imported_key_material.aws.import_parameters import SealedMaterial
from imported_key_material.aws.kms_key import ChangeAttempt, KmsKey
from imported_key_material.errors import Fault, Refused, ServiceRefused
from imported_key_material.lifecycle.rotation import Rotation
from imported_key_material.lifecycle.symmetric import SupersededMaterial, SymmetricImport, UnknownMaterial
from imported_key_material.properties import NewMaterial
from tests.support.scripted_key import ARN, ScriptedKey

DECLARED = Expiry(datetime(2027, 3, 1, tzinfo=UTC))
ITS_OWN = datetime(2027, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
AS_DECLARED = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": DECLARED.valid_to, "ImportState": "IMPORTED"}
LOST = {"ImportState": "PENDING_IMPORT"}
EXISTING, NEW = "EXISTING_KEY_MATERIAL", "NEW_KEY_MATERIAL"


def sealed(bytes_of):
    return SealedMaterial(ARN, bytes_of.encode(), b"a token")


@dataclass(frozen=True, slots=True)
class ScriptedImports(KmsKey):
    """A key whose imports the test scripts."""

    once: Callable[[SealedMaterial, Mapping[str, str], Expiry], str]

    def import_material(self, sealed, expiry, _attempt, *, symmetric):
        return self.once(sealed, symmetric, expiry)


class Kms:
    """Takes imports as KMS does; the id of the bytes is their text. Keeps each import."""

    def __init__(self, key, *, knows=None):
        self.key = key
        self.knows = {id_ for id_, _ in key.materials} if knows is None else set(knows)
        self.imports = []  # (bytes, parameters, expiry)
        self.before_new = lambda: None
        self.denies = False

    def once(self, material, parameters, expiry):
        if self.denies:
            raise ServiceRefused(
                Fault("KeyId", "denied"), operation="kms:ImportKeyMaterial", code="AccessDeniedException"
            )
        id_ = material.encrypted_key_material.decode()
        self.imports.append((id_, dict(parameters), expiry))
        if parameters.get("ImportType") == NEW:
            self.before_new()
        is_new = parameters.get("ImportType", EXISTING if self.knows else NEW) == NEW
        if (id_ in self.knows) == is_new or parameters.get("KeyMaterialId", id_) != id_:
            raise ServiceRefused(
                Fault("KeyId", "refused"), operation="kms:ImportKeyMaterial", code="IncorrectKeyMaterialException"
            )
        self.knows.add(id_)
        return id_

    def run(self, current, earlier=(), *, new_material=NewMaterial.REFUSE, accepted=("CURRENT",), description=None):
        real = self.key.key()
        key = ScriptedImports(real.arn, real.kms, real.kms_import, real.caller, self.once)
        imports = SymmetricImport(
            key=key,
            view=key.look(),
            new_material=NewMaterial(new_material),
            accepted=frozenset(accepted),
            description=description,
            expiry=DECLARED,
            attempt=ChangeAttempt(self.key.guard),
            rotation=Rotation(key, self.key.guard),
        )
        return imports.run(sealed(current), [sealed(one) for one in earlier])


def test_the_first_import_has_no_import_type():
    kms = Kms(ScriptedKey(current="", materials={}))

    assert kms.run("one", description="of a ceremony") == "one"
    assert kms.imports == [("one", {"KeyMaterialDescription": "of a ceremony"}, DECLARED)]


def test_bytes_that_are_current_are_imported_under_their_id_with_the_declared_expiry():
    kms = Kms(ScriptedKey())

    assert kms.run("one", description="of a ceremony") == "one"
    parameters = {"ImportType": EXISTING, "KeyMaterialId": "one", "KeyMaterialDescription": "of a ceremony"}
    assert kms.imports == [("one", parameters, DECLARED)]


def test_where_the_list_shows_nothing_yet_kms_is_asked_without_an_id():
    kms = Kms(ScriptedKey(materials={}), knows=["one"])

    assert kms.run("one") == "one"
    assert kms.imports == [("one", {"ImportType": EXISTING}, DECLARED)]


def test_what_is_pending_is_asked_for_after_what_is_current():
    kms = Kms(ScriptedKey(materials={("one", "CURRENT"): {}, ("two", "PENDING_ROTATION"): {}}))

    assert kms.run("two", new_material="STAGE") == "two"
    assert [parameters["KeyMaterialId"] for _, parameters, _ in kms.imports] == ["one", "two"]


def test_superseded_material_is_found_by_an_import_that_leaves_its_expiry_as_it_is():
    materials = {
        ("zero", "NON_CURRENT"): {},
        ("one", "NON_CURRENT"): {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": ITS_OWN},
        ("two", "CURRENT"): {},
    }
    kms = Kms(ScriptedKey(current="two", materials=materials))

    with pytest.raises(SupersededMaterial):
        kms.run("one", new_material="ROTATE", description="of a ceremony")
    assert kms.imports == [
        ("one", {"ImportType": EXISTING, "KeyMaterialId": "two", "KeyMaterialDescription": "of a ceremony"}, DECLARED),
        ("one", {"ImportType": EXISTING, "KeyMaterialId": "zero"}, Expiry(None)),
        ("one", {"ImportType": EXISTING, "KeyMaterialId": "one"}, Expiry(ITS_OWN)),
    ]


@pytest.mark.parametrize("lost", [LOST, {"ValidTo": LONG_AGO}], ids=["lost", "expired a moment ago"])
def test_superseded_material_that_is_lost_comes_back_with_the_declared_expiry(lost):
    kms = Kms(ScriptedKey(current="two", materials={("one", "NON_CURRENT"): lost, ("two", "CURRENT"): {}}))

    with pytest.raises(SupersededMaterial):
        kms.run("one")
    assert kms.imports[-1] == ("one", {"ImportType": EXISTING, "KeyMaterialId": "one"}, DECLARED)


def test_where_superseded_material_is_no_error_one_import_is_enough():
    kms = Kms(ScriptedKey(current="two", materials={("one", "NON_CURRENT"): {}, ("two", "CURRENT"): {}}))

    assert kms.run("one", accepted=("CURRENT", "NON_CURRENT")) == "one"
    assert kms.imports == [("one", {"ImportType": EXISTING}, DECLARED)]


def test_unknown_bytes_are_not_staged_where_new_material_is_refused():
    kms = Kms(ScriptedKey())

    with pytest.raises(UnknownMaterial):
        kms.run("two")
    assert all(parameters["ImportType"] == EXISTING for _, parameters, _ in kms.imports)


def test_unknown_bytes_are_staged_with_description_and_expiry():
    kms = Kms(ScriptedKey())

    assert kms.run("two", new_material="STAGE", description="of a ceremony") == "two"
    assert kms.imports[-1] == ("two", {"ImportType": NEW, "KeyMaterialDescription": "of a ceremony"}, DECLARED)


def test_bytes_that_another_delivery_has_staged_a_moment_before_are_taken_as_known():
    kms = Kms(ScriptedKey())
    kms.before_new = lambda: kms.knows.add("two")

    assert kms.run("two", new_material="STAGE") == "two"
    assert [parameters["ImportType"] for _, parameters, _ in kms.imports] == [EXISTING, NEW, EXISTING]


# ---------------------------------------------------------------------------------------------------- earlier material


def test_lost_materials_come_back_before_the_current_one_each_under_its_own_id():
    materials = {("zero", "NON_CURRENT"): LOST, ("one", "NON_CURRENT"): LOST, ("two", "CURRENT"): {}}
    kms = Kms(ScriptedKey(current="two", materials=materials))

    assert kms.run("two", ["one", "zero"], description="of a ceremony") == "two"
    accepted = [(id_, parameters) for id_, parameters, _ in kms.imports if parameters["KeyMaterialId"] == id_]
    assert accepted == [
        ("one", {"ImportType": EXISTING, "KeyMaterialId": "one"}),
        ("zero", {"ImportType": EXISTING, "KeyMaterialId": "zero"}),
        ("two", {"ImportType": EXISTING, "KeyMaterialId": "two", "KeyMaterialDescription": "of a ceremony"}),
    ]


def test_earlier_material_that_is_there_and_expires_as_declared_is_not_imported():
    kms = Kms(
        ScriptedKey(current="two", materials={("one", "NON_CURRENT"): AS_DECLARED, ("two", "CURRENT"): AS_DECLARED})
    )

    assert kms.run("two", ["one"]) == "two"
    assert [id_ for id_, _, _ in kms.imports] == ["two"]


def test_earlier_material_that_expires_otherwise_gets_the_declared_expiry_under_its_id():
    kms = Kms(ScriptedKey(current="two", materials={("one", "NON_CURRENT"): {}, ("two", "CURRENT"): {}}))

    assert kms.run("two", ["one"]) == "two"
    assert kms.imports[0] == ("one", {"ImportType": EXISTING, "KeyMaterialId": "one"}, DECLARED)
    assert [id_ for id_, _, _ in kms.imports] == ["one", "two"]


def test_nothing_is_staged_in_a_key_that_stays_without_a_material_it_had():
    kms = Kms(ScriptedKey(materials={("zero", "NON_CURRENT"): LOST, ("one", "CURRENT"): {}}))

    with pytest.raises(Refused) as refused:
        kms.run("two", ["other"], new_material="ROTATE")
    assert str(refused.value) == (
        "KeyId: The key lost material that it once had (zero), and takes new material only once all of it is there again. "
        "PreviousSecretVersionIds names the secret versions that bring it back."
    )
    assert NEW not in [parameters["ImportType"] for _, parameters, _ in kms.imports]


def test_pending_material_that_was_lost_keeps_nothing_from_being_staged():
    key = ScriptedKey(materials={("one", "CURRENT"): {}, ("two", "PENDING_ROTATION"): LOST})
    kms = Kms(key)

    assert kms.run("three", new_material="STAGE") == "three"
    assert len(key.called("DeleteImportedKeyMaterial")) == 1


def test_another_refusal_than_that_of_other_bytes_is_passed_on():
    kms = Kms(ScriptedKey())
    kms.denies = True

    with pytest.raises(ServiceRefused, match="KeyId: denied"):
        kms.run("one")
