"""The life cycle: create, update, delete. The comments give the numbers of the rules in docs/internals/design.md.

Only KMS knows what a key holds. Every request looks at the key first, then does what is missing; doing it twice does no harm.
A failure after the import answers FAILED under the id that a Delete acts on, so that CloudFormation's own rollback removes
what was imported. Only a Delete removes it again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from imported_key_material import properties
from imported_key_material.aws.held_materials import NO_MATERIALS, HeldMaterials
from imported_key_material.aws.key_view import KeyView
from imported_key_material.clock import Seen, poll
from imported_key_material.cloudformation.outcome import Answer, Failed
from imported_key_material.cloudformation.request import RequestType
from imported_key_material.cloudformation.stack import STATUS_BACKOFF, STATUS_LAG_SECONDS
from imported_key_material.errors import Faults, ImportedKeyMaterialError
from imported_key_material.lifecycle import attributes
from imported_key_material.lifecycle.declared_expiry import DeclaredExpiry
from imported_key_material.lifecycle.importing import NOTHING_IMPORTED, Importing, Purpose
from imported_key_material.lifecycle.job import Job
from imported_key_material.lifecycle.removal import delete
from imported_key_material.lifecycle.rollback import roll_back
from imported_key_material.properties import NewMaterial, Properties


def handle(job: Job) -> Answer:
    """Raises Failed, with a sentence for the user and the id that a later Delete may name; or Leave."""
    return _HANDLERS[job.request.type](job)


# ------------------------------------------------------------------------------------------------------------- create


def create(job: Job) -> Answer:
    request, faults = job.request, Faults()
    try:
        job.stack.require_wanted()  # rule 9, before we read anything for this request
        declared = properties.read(request.properties, faults)
        view = job.look(declared, faults)
    except ImportedKeyMaterialError as error:
        raise _failed(error, NOTHING_IMPORTED, request.not_imported_id) from None
    return Importing(job, declared, Purpose(failed_id=request.not_imported_id)).run(view, faults)


# ------------------------------------------------------------------------------------------------------------- update


def update(job: Job) -> Answer:
    """A forward update, or a rollback. Reads the stack's status again before it answers FAILED: it may lag (rule 6)."""
    try:
        if job.stack.rolling_back():
            return roll_back(job)
    except ImportedKeyMaterialError:
        pass  # An unreadable status must not fail an update that needs no import. Any other update asks again below.
    try:
        return _go_forward(job)
    except Failed as failed:
        if _rolls_back_by_now(job):
            # Log it: KMS may not have shown the expiry of that import, and a rollback accepts any earlier expiry silently.
            job.log.warning("went forward, then saw the stack roll back", extra={"problem": failed.reason})
            return roll_back(job)
        raise


def _go_forward(job: Job) -> Answer:
    """Rule 5: imports nothing if there is nothing to do. Otherwise imports the material again, which also verifies it."""
    request, faults = job.request, Faults()
    echoed = request.fallback_id
    try:
        declared = properties.read(request.properties, faults)
        view = job.look(declared, faults)
        before = properties.read(request.old_properties, Faults())
        in_place = view is not None and echoed in view.key_id.physical_ids
        if view is not None and in_place and not faults:
            unchanged = _if_nothing_to_do(job, declared, before, view)
            if unchanged is not None:
                return unchanged
        job.stack.require_wanted()
    except ImportedKeyMaterialError as error:
        raise _failed(error, NOTHING_IMPORTED, echoed) from None
    as_before = _what_locates(declared) == _what_locates(before)
    purpose = Purpose(failed_id=echoed, kept_id=echoed if in_place else None, located_as_before=in_place and as_before)
    return Importing(job, declared, purpose).run(view, faults)


def _if_nothing_to_do(job: Job, declared: Properties, before: Properties, view: KeyView) -> Answer | None:
    """The answer if the version is pinned, nothing that needs an import has changed, and KMS has what is declared."""
    if (
        declared.secret_version_id is None
        or _what_imports(declared) != _what_imports(before)
        or not view.holds_material
    ):
        return None
    # Without consent IAM may refuse the list, and we could import nothing. Then DescribeKey decides (rule 6).
    materials = job.materials(view) if job.consents(view) else None
    if not _is_as_declared(declared, view, materials, job.caller.clock.now()) or _is_tried_again(job):
        return None
    job.log.info("nothing to do", extra={"key_arn": view.arn, "key_state": view.state})
    evidence = None if materials is None else job.evidence_with(view, materials)
    return Answer(job.request.fallback_id, attributes.of(view, declared, evidence))


def _is_as_declared(declared: Properties, view: KeyView, listed: HeldMaterials | None, now: datetime) -> bool:
    """Whether the key holds what is declared. `listed`: its materials; None without consent."""
    materials = NO_MATERIALS if listed is None else listed
    if materials.lost(now):
        return False
    pending, stages = materials.pending, declared.new_material is NewMaterial.STAGE
    if listed is not None and stages and pending is None:  # the staged material may be gone
        return False
    # With ROTATE, the pending material may have to become current.
    if pending is not None and declared.new_material is NewMaterial.ROTATE:
        return False
    material_id = pending.id if pending is not None and stages else view.current_material_id
    return DeclaredExpiry(declared, now).is_kept(view, materials, material_id)


def _is_tried_again(job: Job) -> bool:
    """Whether this Update repeats a failed one (--disable-rollback): we don't know whether its changes reached KMS.

    If the events can't be read, it may be so, and the material is imported again. There are two exceptions: a rollback goes on
    without the events (rule 6), and so does an Update whose stack can't be read either, since it may belong to a rollback.
    """
    try:
        return job.past.failed()
    except ImportedKeyMaterialError as error:
        job.log.warning("the stack's events can't be read", extra={"problem": str(error)})
    try:
        return not job.stack.shows_rollback()
    except ImportedKeyMaterialError:
        return False


def _what_locates(declared: Properties) -> tuple[object, ...]:
    return (
        declared.secret_id,
        declared.secret_version_id,
        declared.secret_version_stage,
        declared.secret_json_key,
        declared.material_encoding,
        declared.secret_wrapping,
    )


def _what_imports(declared: Properties) -> tuple[object, ...]:
    """The properties whose change needs an import. ValidTo is not among them: it is compared with what KMS shows."""
    return (
        *_what_locates(declared),
        declared.new_material,
        declared.expected_check_value,
        declared.valid_for_days,
        declared.key_material_description,
        declared.trigger,
    )


def _rolls_back_by_now(job: Job) -> bool:
    """Reads the stack's status again for a while: it may lag, and a rollback's Update must not fail."""

    def look() -> Seen[bool]:
        rolls_back = job.stack.shows_rollback()
        return Seen(rolls_back, enough=rolls_back)

    try:
        return poll(job.caller.within(STATUS_LAG_SECONDS), STATUS_BACKOFF, look).value
    except ImportedKeyMaterialError:
        return False


def _failed(error: ImportedKeyMaterialError, what_was_done: str, physical_id: str) -> Failed:
    return Failed(f"{error} {what_was_done}", physical_id, error.failure_class)


_HANDLERS: Final[dict[RequestType, Callable[[Job], Answer]]] = {
    RequestType.CREATE: create,
    RequestType.UPDATE: update,
    RequestType.DELETE: delete,
}
