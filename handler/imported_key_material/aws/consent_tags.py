"""Reads the tags by which owners consent; one that is missing is read again for a moment.

CloudFormation changes a tag by UntagResource and then TagResource, so that a request that comes in between finds none. A
missing tag is therefore read again for `MISSING_SECONDS` in all, wherever the request would fail for it: on Create, a forward
Update with an import, and Delete. A tag that names other stacks is believed at once. A no-op and a rollback wait for nothing
(rule 6 of docs/internals/design.md). The tag rule itself is `consent.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from imported_key_material import consent
from imported_key_material.aws.calls import Caller
from imported_key_material.clock import Backoff, Deadline, Seen, poll

MISSING_SECONDS: Final = 20.0
_BACKOFF: Final = Backoff(first_seconds=1.0, cap_seconds=5.0)

type ReadTags = Callable[[], Mapping[str, str]]


@dataclass(slots=True)
class ConsentTags:
    """Of one stack, for one request. `patient`: whether a missing tag is read again."""

    caller: Caller
    stack_name: str
    patient: bool = True
    _until: Deadline | None = None  # for all looks together

    def read(self, read: ReadTags) -> Mapping[str, str]:
        """The tags, once the consent tag is among them, or as they were seen last."""
        tags = read()
        if consent.TAG in tags or not self.patient:
            return tags
        if self._until is None:
            self._until = self.caller.within(MISSING_SECONDS)

        def look() -> Seen[Mapping[str, str]]:
            tags = read()
            return Seen(tags, enough=consent.TAG in tags)

        return poll(self._until, _BACKOFF, look).value

    def require(self, read: ReadTags, *, where: str, what: str) -> None:
        """Reads the tags of `what` ("the KMS key"). Raises Refused unless they name the stack."""
        self.require_in(self.read(read), where=where, what=what)

    def require_in(self, tags: Mapping[str, str], *, where: str, what: str) -> None:
        """The same of tags that were read already."""
        consent.require(tags, self.stack_name, where=where, what=what)
