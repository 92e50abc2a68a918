"""What is measured of a request, as values. `aws/metrics.py` writes them; tests and simulations collect them.

A `Meter` may fail. `safe_log.metrics_may_fail` swallows that: a metrics failure must not fail a request. `changed` only takes a
note, so it can't fail. Named tuples here: a dataclass takes more than a millisecond of each cold start.
"""

import enum
from typing import NamedTuple, Protocol

from imported_key_material.errors import FailureClass


class Waited(NamedTuple):
    """One invocation's wait for a quota, for the log and the metrics."""

    outcome: str  # "granted", "handed over", "given up"; in the log "waiting", too
    age_seconds: float | None  # of the request; None if it is unknown
    waited_seconds: float
    tries: int


class Change(enum.StrEnum):
    """A change that KMS accepted. The value is the metric's name."""

    IMPORTED = "Imported"
    REMOVED = "Removed"
    ROTATED = "Rotated"


class Ending(enum.StrEnum):
    """How an invocation ended for its request."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    LEFT = "LEFT"  # no answer: the request was handed over, or CloudFormation no longer waits
    UNDELIVERED = "UNDELIVERED"  # the answer could not be sent; Lambda tries the request again


class Ended(NamedTuple):
    """One invocation's end. `age_seconds`: of the request when its answer was sent; None without answer, or if unknown."""

    ending: Ending
    request_type: str
    age_seconds: float | None
    failure_class: FailureClass | None  # None: not FAILED
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str  # of the answer; "" without answer


class Meter(Protocol):
    """Gets the events of one invocation after the other: any number of `waited` and `changed`, then one `ended`."""

    def waited(self, waited: Waited) -> None: ...
    def changed(self, change: Change) -> None: ...
    def ended(self, ended: Ended) -> None: ...


class Unmetered:
    """Measures nothing."""

    def waited(self, waited: Waited) -> None: ...
    def changed(self, change: Change) -> None: ...
    def ended(self, ended: Ended) -> None: ...
