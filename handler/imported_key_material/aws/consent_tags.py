"""Reads the tags by which owners consent; a missing tag is read again for a moment.

CloudFormation changes a tag by UntagResource and then TagResource, so a request that comes in between finds none. If the
request would fail for a missing tag, it reads the tags again for `MISSING_SECONDS` in all: on Create, on a forward Update with
an import, and on Delete. A tag that names other stacks is believed at once. A no-op and a rollback do not wait (rule 6 of
docs/internals/design.md). The tag rule itself is in `consent.py`.
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
    """Reads consent for one stack and one request. `patient`: whether a missing tag is read again."""

    caller: Caller
    stack_name: str
    patient: bool = True
    _until: Deadline | None = None  # one deadline for all reads of this request

    def read(self, read: ReadTags) -> Mapping[str, str]:
        """The tags, once the consent tag is among them; else as they were read last."""
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
        """Raises Refused unless these tags, already read, name the stack."""
        consent.require(tags, self.stack_name, where=where, what=what)
