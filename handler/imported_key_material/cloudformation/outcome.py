"""How a request ends: an answer or a failure. The life cycle returns it, and `responder.py` sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imported_key_material.errors import FailureClass


@dataclass(frozen=True, slots=True)
class Answer:
    """SUCCESS: the id that CloudFormation keeps, and what Fn::GetAtt gives."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)


class Failed(Exception):
    """FAILED: the sentence for the stack's events, the id under which a Delete may come, and the class for the metrics."""

    def __init__(self, reason: str, physical_id: str, failure_class: FailureClass = FailureClass.DEFECT) -> None:
        self.reason = reason
        self.physical_id = physical_id
        self.failure_class = failure_class
        super().__init__(reason)


type Outcome = Answer | Failed
