"""The bugs that `mutations.py` plants, each a context manager that makes the function wrong in one way."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any
from unittest.mock import patch

from imported_key_material import consent
from imported_key_material.aws.kms_key import ChangeAttempt
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.cloudformation.request import RequestType
from imported_key_material.cloudformation.responder import Responder
from imported_key_material.cloudformation.stack import Stack
from imported_key_material.errors import Refused
from imported_key_material.lifecycle import checks, importing, removal, resource, rotation, symmetric
from imported_key_material.lifecycle.job import Job
from imported_key_material.lifecycle.rotation import Rotation
from imported_key_material.material import material_check
from imported_key_material.properties import NewMaterial
from lab.simulation.calls import Calls


@dataclass(frozen=True, slots=True)
class _AskingFor(Job):
    """A job that asks CloudFormation about another request."""

    asks: Stack

    @property
    def stack(self) -> Stack:
        return self.asks


def delete_not_guarded() -> AbstractContextManager[Any]:
    """Delete also acts on the bare id of an adopted key. (It asks CloudFormation about that id, which has no ARN for it.)"""
    real = removal.delete

    def delete(job: Job) -> Answer:
        id_, home = job.request.fallback_id, job.home
        if ":" in id_ or len(id_) != 36:
            return real(job)
        arn = f"arn:aws:kms:{home.region}:{home.account}:key/{id_}"
        its = {field.name: getattr(job, field.name) for field in fields(job)}
        its["request"] = replace(job.request, physical_id=arn)
        return replace(real(_AskingFor(**its, asks=job.stack)), physical_id=id_)

    return patch.dict(resource._HANDLERS, {RequestType.DELETE: delete})  # noqa: SLF001  # a bug is planted from inside


def answers_twice() -> AbstractContextManager[Any]:
    real = Responder._answer  # noqa: SLF001  # the same

    def answer(self: Responder, *args: Any) -> None:
        real(self, *args)
        real(self, *args)

    return patch.object(Responder, "_answer", answer)


def imports_before_the_check() -> AbstractContextManager[Any]:
    """Imports material that the checks refuse."""
    real = material_check.check

    def check(source: Any, spec: Any, **options: Any) -> Any:
        try:
            return real(source, spec, **options)
        except Refused:
            raw = bytearray(source if isinstance(source, bytes) else source.encode())
            passed = material_check._PASSED  # noqa: SLF001  # the same
            return material_check.CheckedMaterial(
                passed, spec=spec, encoded=raw, check_value="", verified_check_value=""
            )

    return patch.object(material_check, "check", check)


def id_moves_with_the_material() -> AbstractContextManager[Any]:
    """The physical id names the secret's version, and Delete cuts that off again."""
    real = dict(resource._HANDLERS)  # noqa: SLF001  # the same

    def moved(job: Job) -> Answer:
        request = job.request
        id_, _, version = (request.physical_id or "").partition("#")
        inner = replace(job, request=replace(request, physical_id=id_ or None))
        try:
            answer = real[request.type](inner)
        except Failed as failed:
            raise Failed(failed.reason, request.physical_id or failed.physical_id) from None
        if request.type is RequestType.DELETE:
            return replace(answer, physical_id=request.fallback_id)
        return replace(answer, physical_id=f"{answer.physical_id}#{request.properties.get('SecretVersionId', version)}")

    return patch.dict(resource._HANDLERS, dict.fromkeys(RequestType, moved))  # noqa: SLF001  # the same


def rollback_validates() -> AbstractContextManager[Any]:
    """A rollback reads the secret and checks everything, as any update does."""
    return patch.object(resource, "roll_back", resource._go_forward)  # noqa: SLF001  # the same


@contextmanager
def disabled_key_is_imported_into() -> Iterator[None]:
    states = {state: text for state, text in checks._STATES.items() if state != "Disabled"}  # noqa: SLF001  # the same
    with patch.object(checks, "_STATES", states):
        yield


def rotates_again_after_success() -> AbstractContextManager[Any]:
    real = Rotation.rotate_to

    def rotate_to(self: Rotation, material_id: str) -> None:
        real(self, material_id)
        self.key.rotate(ChangeAttempt(self.guard))

    return patch.object(Rotation, "rotate_to", rotate_to)


def tag_not_checked() -> AbstractContextManager[Any]:
    return patch.object(consent, "require", lambda *_, **__: None)


def holder_not_looked_up() -> AbstractContextManager[Any]:
    return patch.object(removal, "_holder", lambda *_: None)


def consent_of_another_stack() -> AbstractContextManager[Any]:
    """Accepts any name in the tag."""
    real = consent.require

    def require(tags: Any, stack_name: str, **where: str) -> None:
        named = tags.get(consent.TAG, "").split()
        real(tags, named[0] if named else stack_name, **where)

    return patch.object(consent, "require", require)


def stage_rotates() -> AbstractContextManager[Any]:
    def made(**fields: Any) -> Any:
        stages = fields["new_material"] is NewMaterial.STAGE
        return symmetric.SymmetricImport(**fields | ({"new_material": NewMaterial.ROTATE} if stages else {}))

    return patch.object(importing, "SymmetricImport", made)


def pending_deleted_at_once() -> AbstractContextManager[Any]:
    """Replaces pending material without waiting for a rotation that may be under way."""
    return patch.object(rotation, "QUIET", rotation.QUIET * 0)


def wanted_not_asked() -> AbstractContextManager[Any]:
    return patch.object(Stack, "require_wanted", lambda _: None)


@contextmanager
def clean_up_believed() -> Iterator[None]:
    """A clean-up's Delete counts as wanted, whatever the stack's events show for its id."""
    with patch.object(Stack, "_why_not_cleaned_up", lambda *_: ""), _what_was_read_is_not_judged():
        yield


@contextmanager
def deleted_is_being_deleted() -> Iterator[None]:
    """A deleted id counts as an id that is being deleted."""
    real = Stack._why_not_gone  # noqa: SLF001  # the same

    def why_not_gone(self: Stack, status: str, set_at: Any) -> str:
        return real(self, "DELETE_IN_PROGRESS" if status == "DELETE_COMPLETE" else status, set_at)

    with patch.object(Stack, "_why_not_gone", why_not_gone), _what_was_read_is_not_judged():
        yield


def _what_was_read_is_not_judged() -> AbstractContextManager[Any]:
    """Turns the judging of reads off, so that the harm is found: another stack's material is gone."""
    return patch.object(Calls, "_require_being_deleted", lambda *_: None)


def arn_for_an_adopted_key() -> AbstractContextManager[Any]:
    return patch.object(Job, "id_for", lambda _, view: view.arn)


def material_left_at_delete() -> AbstractContextManager[Any]:
    """Only the current material is removed."""
    return patch.object(removal, "_earlier", lambda *_: [])
