"""Acts with the deployed application."""

from typing import Final

from lab.live.act import Act

ACTS: Final[tuple[Act, ...]] = ()
