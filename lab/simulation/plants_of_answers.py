"""As `plants.py`: bugs in an answer's content, its time, and the log."""

import logging
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from imported_key_material.aws import calls
from imported_key_material.aws.held_materials import HeldMaterials
from imported_key_material.cloudformation.delivery import DeliveryFailed
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.cloudformation.request import Request
from imported_key_material.cloudformation.responder import Responder
from imported_key_material.cloudformation.stack_events import Past
from imported_key_material.errors import ImportedKeyMaterialError, Leave
from imported_key_material.lifecycle import attributes, checks, declared_expiry, importing, removal, resource, rollback
from imported_key_material.lifecycle.confirmation import Confirmed
from imported_key_material.lifecycle.job import Job
from imported_key_material.material import material_check
from imported_key_material.material.proof import Confirmation


def success_before_confirmed() -> AbstractContextManager[Any]:
    """Answers right after ImportKeyMaterial, without waiting until KMS shows the effect."""

    def confirm(job: Job, prepared: Any, *_: Any) -> Confirmed:
        return Confirmed(job.key(prepared.view.arn).look(), HeldMaterials(), Confirmation.SAME_MATERIAL)

    return patch.object(importing, "confirm", confirm)


def expiry_forgotten() -> AbstractContextManager[Any]:
    real = declared_expiry.asked_expiry
    return patch.object(checks, "asked_expiry", lambda declared, now: real(replace(declared, valid_for_days=None), now))


def failed_create_loses_the_arn() -> AbstractContextManager[Any]:
    """A Create that failed after its import answers an id on which no Delete acts."""
    real = importing.Importing._failed  # noqa: SLF001  # the same

    def failed(self: Any, problem: str, change: Any, *more: Any) -> Failed:
        return Failed(real(self, problem, change, *more).reason, self.purpose.failed_id)

    return patch.object(importing.Importing, "_failed", failed)


def material_logged() -> AbstractContextManager[Any]:
    real = material_check.check
    logger = logging.getLogger("imported_key_material.material.material_check")

    def check(source: Any, spec: Any, **options: Any) -> Any:
        checked = real(source, spec, **options)
        logger.info("checked %s", checked.encoded.hex())
        return checked

    return patch.object(material_check, "check", check)


def url_in_an_exception() -> AbstractContextManager[Any]:
    real = Responder._answer  # noqa: SLF001  # the same

    def answer(self: Responder, request: Request, *args: Any) -> None:
        try:
            real(self, request, *args)
        except DeliveryFailed as error:
            raise DeliveryFailed(f"{error}{request.response_url}") from None

    return patch.object(Responder, "_answer", answer)


def held_is_said_to_be_removed() -> AbstractContextManager[Any]:
    """A failure after an import says that the material was removed, and KMS still holds it."""
    return patch.object(importing, "_MAY_HOLD", importing._FORGOTTEN)  # noqa: SLF001  # the same


def leaves_without_a_word() -> AbstractContextManager[Any]:
    """A failing invocation leaves without an answer, and CloudFormation waits for an hour."""
    real = resource.handle

    def handle(job: Job) -> Answer:
        try:
            return real(job)
        except Failed:
            raise Leave from None

    return patch.object(resource, "handle", handle)


def failed_before_is_forgotten() -> AbstractContextManager[Any]:
    """A failed Update that is tried again counts as having nothing to do."""
    return patch.object(Past, "failed", lambda _: False)


def unreadable_is_no_failure() -> AbstractContextManager[Any]:
    """If the events can't be read, an Update counts as having nothing to do."""

    def is_tried_again(job: Job) -> bool:
        try:
            return job.past.failed()
        except ImportedKeyMaterialError:
            return False

    return patch.object(resource, "_is_tried_again", is_tried_again)


def expiry_is_taken_back_in_silence() -> AbstractContextManager[Any]:
    """A rollback accepts every expiry that its old ValidForDays allow, even if somebody else set it."""
    return patch.object(rollback, "_CHANGED", "")


def rotation_between_is_forgotten() -> AbstractContextManager[Any]:
    """Delete uses the list that it read first, even if a rotation has changed the key since."""
    real = removal._earlier  # noqa: SLF001  # the same

    def listed_once(job: Job, view: Any) -> list[str]:
        return real(job, view) if view.holds_material else []

    return patch.object(removal, "_earlier", listed_once)


def earlier_material_keeps_its_expiry() -> AbstractContextManager[Any]:
    """PreviousSecretVersionIds restore lost material, but don't renew the expiry of other material."""
    return patch.object(HeldMaterials, "needed", ())


def rollback_is_silent() -> AbstractContextManager[Any]:
    return patch.object(rollback, "_answer", lambda _operation, answer, *_left: answer)


def attributes_as_declared() -> AbstractContextManager[Any]:
    """Fn::GetAtt gives the properties' expiry, not the expiry that KMS shows."""
    real = attributes.of

    def of(view: Any, declared: Any, public_key: Any) -> dict[str, str]:
        named = attributes.timestamp(declared.valid_to) if declared.valid_to else ""
        return real(view, declared, public_key) | {"ValidTo": named}

    return patch.object(attributes, "of", of)


def no_time_for_the_answer() -> AbstractContextManager[Any]:
    """An invocation waits until its time is over, and is ended before it answers."""
    return patch.object(calls, "RESERVE_SECONDS", 0.0)
