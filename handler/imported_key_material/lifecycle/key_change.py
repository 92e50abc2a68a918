"""One invocation's changes of one key: what is asked right before each of them, and the id that answers for all (rule 1).

The id follows from what the key held right before the first change. Somebody else may change the key while this invocation
waits, so it is decided again by every guard, until a call of this invocation may have taken effect: what the key holds from
then on may be its own.
"""

from dataclasses import dataclass, field

from imported_key_material.aws.key_view import KeyView
from imported_key_material.aws.kms_key import ChangeAttempt, KmsKey
from imported_key_material.aws.secret import FoundSecret
from imported_key_material.lifecycle import checks
from imported_key_material.lifecycle.job import Job


@dataclass(slots=True)
class KeyChange:
    """`kept_id`: the id that the resource bears already, None where rule 1 decides it."""

    job: Job
    key: KmsKey
    found: FoundSecret
    kept_id: str | None
    view: KeyView  # as it was seen last
    physical_id: str = ""
    imports: ChangeAttempt = field(init=False)

    def __post_init__(self) -> None:
        self.imports = ChangeAttempt(self.guard_import)
        self._decide(self.view)

    def guard_import(self) -> None:
        """Before every import: consent of all three owners, who may have taken it back while this invocation waited."""
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
