"""How a request ends: an answer or a failure. The life cycle returns it, and `responder.py` sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """SUCCESS: the id that CloudFormation keeps, and what Fn::GetAtt gives."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)


class Failed(Exception):
    """FAILED: the sentence for the stack's events, and the id under which a Delete may come."""

    def __init__(self, reason: str, physical_id: str) -> None:
        self.reason = reason
        self.physical_id = physical_id
        super().__init__(reason)


type Outcome = Answer | Failed
