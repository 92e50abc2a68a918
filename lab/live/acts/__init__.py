"""The acts, in the order in which they are played.

keys.py         KMS alone: import, re-import, expiry, deletion, rotation, encodings
protocol.py     what CloudFormation sends, and when it shows what (the probe)
first_stacks.py   the deployed application: a first key, its update, its rollback, its end
owners.py       secrets and tags, and the role's rights
lives.py        more deployments of the application: what Lambda gives up, a missing function, another architecture
many.py         what starves other importers: a request that is handed over, 30 imports at once
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts import first_stacks, keys, lives, many, owners, protocol

ACTS: Final[tuple[Act, ...]] = (
    *keys.ACTS,
    *protocol.ACTS,
    *first_stacks.ACTS,
    *owners.ACTS,
    *lives.ACTS,
    *many.ACTS,
)
