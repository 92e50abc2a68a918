"""The acts, in the order in which they are played.

keys.py         KMS alone: import, re-import, expiry, deletion, rotation, encodings
protocol.py     what CloudFormation sends, and when it shows what (the probe)
application.py  the deployed application: first keys, secrets, failures, its own life
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts import application, keys, protocol

ACTS: Final[tuple[Act, ...]] = (*keys.ACTS, *protocol.ACTS, *application.ACTS)
