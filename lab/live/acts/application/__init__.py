"""The acts with the deployed application: its stacks, its role, what Lambda does with it.

first_stacks.py   a first key, its update, its rollback, its end
owners.py         secrets and tags, and the role's rights
lives.py          more deployments of the application: what Lambda gives up, a missing function, another architecture
many.py           what starves other importers: a request that is handed over, 30 imports at once
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts.application import first_stacks, lives, many, owners

ACTS: Final[tuple[Act, ...]] = (*first_stacks.ACTS, *owners.ACTS, *lives.ACTS, *many.ACTS)
