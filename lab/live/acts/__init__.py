"""The acts, in the order in which they are played.

keys.py         only KMS: new keys, re-import, deletion, import tokens
first_keys.py   only KMS: the first import of each kind
encodings.py    only KMS: one private key in several encodings, lengths of HMAC keys
over_time.py    only KMS: what takes minutes, side by side: a rotation (rotation.py) and an expiry (expiry.py)
replicas.py     only KMS: a multi-Region key and its replica
by_hand.py      the KMS calls of these
protocol.py     what CloudFormation sends, and when it shows what (the probe)
application.py  the deployed application: first keys, secrets, failures, its own life
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts import application, encodings, first_keys, keys, over_time, protocol, replicas

# They need no application and no stack. The tests play them on the strict KMS, in virtual time.
KMS_ACTS: Final[tuple[Act, ...]] = (*keys.ACTS, first_keys.ACT, *encodings.ACTS, over_time.ACT, replicas.ACT)
ACTS: Final[tuple[Act, ...]] = (*KMS_ACTS, *protocol.ACTS, *application.ACTS)
