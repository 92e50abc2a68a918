"""A KMS that behaves otherwise than this project assumes: one deviation for each assumption that an act with only KMS settles.

Each is planted into the strict KMS. Then the act must report its assumption as "otherwise": a proof that can't fail proves
nothing. `also`: assumptions that can't hold either.

    planting.py   how a deviation is planted
    imports.py    new keys, first imports, deletion, import tokens, encodings
    rotation.py   rotation, expiry, replicas
"""

from tests.support.other_kms import imports, rotation
from tests.support.other_kms.planting import Deviation

DEVIATIONS: tuple[Deviation, ...] = (*imports.DEVIATIONS, *rotation.DEVIATIONS)
