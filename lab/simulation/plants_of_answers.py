"""As `plants.py`: bugs in what an answer says, when it is given, and what the log tells."""

import logging
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from imported_key_material import (
    attributes,
    calling,
    declared_expiry,
    importing,
    material,
    preparation,
    removal,
    resource,
    rollback,
)
from imported_key_material.confirming import Confirmed
from imported_key_material.errors import ImportedKeyMaterialError, Leave
from imported_key_material.held_materials import HeldMaterials
from imported_key_material.operation import Operation
from imported_key_material.past import Past
from imported_key_material.proof import Confirmation
from imported_key_material.request import Answer, Failed
from imported_key_material.responder import Responder


def success_before_confirmed() -> AbstractContextManager[Any]:
    """KMS's word for the import is taken for its effect: what it shows afterwards is not waited for."""

    def confirmed(operation: Operation, prepared: Any, *_: Any) -> Confirmed:
        return Confirmed(operation.key(prepared.view.arn).look(), HeldMaterials(), Confirmation.SAME_MATERIAL)

    return patch.object(importing, "confirmed", confirmed)


def expiry_forgotten() -> AbstractContextManager[Any]:
    real = declared_expiry.asked_expiry
    return patch.object(
        preparation, "asked_expiry", lambda declared, now: real(replace(declared, valid_for_days=None), now)
    )


def failed_create_loses_the_arn() -> AbstractContextManager[Any]:
    """A Create that failed after its import answers under an id that no Delete acts on."""
    real = importing.Importing._failed  # noqa: SLF001  # the same

    def failed(self: Any, problem: str, change: Any) -> Failed:
        return Failed(real(self, problem, change).reason, self.purpose.failed_id)

    return patch.object(importing.Importing, "_failed", failed)


def material_logged() -> AbstractContextManager[Any]:
    real = material.check
    logger = logging.getLogger("imported_key_material.material")

    def check(source: Any, spec: Any, **options: Any) -> Any:
        checked = real(source, spec, **options)
        logger.info("checked %s", checked.encoded.hex())
        return checked

    return patch.object(material, "check", check)


def url_in_an_exception() -> AbstractContextManager[Any]:
    real = Responder._send  # noqa: SLF001  # the same

    def send(self: Responder, *args: Any, **kwargs: Any) -> None:
        real(self, *args, **kwargs)
        if self._current.undelivered:  # the same
            self._current.undelivered += self._current.request.response_url  # the same

    return patch.object(Responder, "_send", send)


def leaves_without_a_word() -> AbstractContextManager[Any]:
    """What fails leaves, and CloudFormation waits for an hour."""
    real = resource.handle

    def handle(operation: Operation) -> Answer:
        try:
            return real(operation)
        except Failed:
            raise Leave from None

    return patch.object(resource, "handle", handle)


def failed_before_is_forgotten() -> AbstractContextManager[Any]:
    """A failed Update that is tried again counts as one of which nothing is to do."""
    return patch.object(Past, "failed", lambda _: False)


def unreadable_is_no_failure() -> AbstractContextManager[Any]:
    """Where the events can't be read an Update counts as one of which nothing is to do."""

    def is_tried_again(operation: Operation) -> bool:
        try:
            return operation.past.failed()
        except ImportedKeyMaterialError:
            return False

    return patch.object(resource, "_is_tried_again", is_tried_again)


def expiry_is_taken_back_in_silence() -> AbstractContextManager[Any]:
    """A rollback is content with any expiry that its own ValidForDays would let stand, whoever has set it since."""
    return patch.object(rollback, "_CHANGED", "")


def rotation_between_is_forgotten() -> AbstractContextManager[Any]:
    """Delete goes by the list that it saw first, whatever a rotation makes of the key meanwhile."""
    real = removal._earlier  # noqa: SLF001  # the same

    def listed_once(operation: Operation, view: Any) -> list[str]:
        return real(operation, view) if view.holds_material else []

    return patch.object(removal, "_earlier", listed_once)


def earlier_material_keeps_its_expiry() -> AbstractContextManager[Any]:
    """PreviousSecretVersionIds bring back what is lost, and renew nothing."""
    return patch.object(HeldMaterials, "needed", ())


def rollback_is_silent() -> AbstractContextManager[Any]:
    return patch.object(rollback, "_answer", lambda _operation, answer, *_left: answer)


def attributes_as_declared() -> AbstractContextManager[Any]:
    """Fn::GetAtt gives the expiry that the properties name, not the one that KMS shows."""
    real = attributes.of

    def of(view: Any, declared: Any, public_key: Any) -> dict[str, str]:
        named = attributes.timestamp(declared.valid_to) if declared.valid_to else ""
        return real(view, declared, public_key) | {"ValidTo": named}

    return patch.object(attributes, "of", of)


def no_time_for_the_answer() -> AbstractContextManager[Any]:
    """An execution waits to its very end, and is ended before it has answered."""
    return patch.object(calling, "RESERVE_SECONDS", 0.0)
