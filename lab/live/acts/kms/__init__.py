"""The acts with only KMS: no application and no stack. The tests play them on the strict KMS, in virtual time.

    keys.py         new keys, re-import, deletion, import tokens
    first_keys.py   the first import of each kind
    encodings.py    one private key in several encodings, lengths of HMAC keys
    over_time.py    what takes minutes, side by side: a rotation (rotation.py) and an expiry (expiry.py)
    replicas.py     a multi-Region key and its replica
    by_hand.py      the KMS calls of these

None of the product's code calls KMS here: what it would hide must be seen.
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts.kms import encodings, first_keys, keys, over_time, replicas

ACTS: Final[tuple[Act, ...]] = (*keys.ACTS, first_keys.ACT, *encodings.ACTS, over_time.ACT, replicas.ACT)
