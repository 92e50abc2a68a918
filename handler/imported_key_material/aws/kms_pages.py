"""How KMS pages its lists: Truncated, NextMarker, Marker."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def of(page: Callable[[Mapping[str, object]], Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The pages of one list. `page`: makes the call, with the parameters that say which page; none for the first.

    KMS says how many there are: the caller's deadline or its own limit ends a list that does not end.
    """
    marker: Mapping[str, object] = {}
    while True:
        answer = page(marker)
        yield answer
        if not answer.get("Truncated"):
            return
        marker = {"Marker": answer["NextMarker"]}
