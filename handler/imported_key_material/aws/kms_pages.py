"""How KMS pages its lists: Truncated, NextMarker, Marker."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def of(page: Callable[[Mapping[str, object]], Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The pages of one list. `page` makes the call, with the parameters that select the page; none for the first page.

    KMS decides how many pages there are. The caller's deadline, or a limit of the caller, ends an endless list.
    """
    marker: Mapping[str, object] = {}
    while True:
        answer = page(marker)
        yield answer
        if not answer.get("Truncated"):
            return
        marker = {"Marker": answer["NextMarker"]}
