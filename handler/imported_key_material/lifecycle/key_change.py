"""One invocation's changes of one key: the checks right before each change, and the physical id of the answer (rule 1).

The id depends on what the key held right before our first change. Somebody else may change the key while this invocation
waits, so every guard decides the id again. Once a call of this invocation may have taken effect, the id stays: what the key
holds from then on may be our own import.
"""

from dataclasses import dataclass, field

from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.kms_key import ChangeAttempt, KmsKey
from imported_key_material.aws.secret import FoundSecret
from imported_key_material.lifecycle import checks
from imported_key_material.lifecycle.job import Job


@dataclass(slots=True)
class KeyChange:
    """`kept_id`: the physical id that the resource already has; None if rule 1 decides it."""

    job: Job
    key: KmsKey
    found: FoundSecret
    kept_id: str | None
    view: KeyView  # as KMS showed it when the id was decided
    physical_id: str = ""
    imports: ChangeAttempt = field(init=False)

    def __post_init__(self) -> None:
        self.imports = ChangeAttempt(self.guard_import)
        self._decide(self.view)

    def guard_import(self) -> None:
        """Before every import: all three owners must still consent; they may have withdrawn consent while we waited."""
        self.job.reader().require_consent(self.found)
        self.guard()

    def guard(self) -> None:
        """Before every change: the key's consent; rule 9; rule 7; rule 1."""
        job = self.job
        job.consent_tags.require(self.key.tags, where="KeyId", what="the KMS key")
        job.stack.require_wanted()
        view = self.key.look()
        checks.require_importable(view)
        if not self.imports.may_have_taken_effect and view.holds_material != self.view.holds_material:
            self._decide(view)
            job.stack.require_wanted()

    def _decide(self, view: KeyView) -> None:
        self.view = view
        self.physical_id = self.kept_id or self.job.id_for(view)
