"""The acts, in the order in which they are played.

    questions.py    questions with one answer, asked of AWS and of the tests' stand-ins

Only KMS:
    keys.py         new keys, re-import, deletion, import tokens
    first_keys.py   the first import of each kind
    encodings.py    one private key in several encodings, lengths of HMAC keys
    over_time.py    what takes minutes, side by side: a rotation (rotation.py) and an expiry (expiry.py)
    replicas.py     a multi-Region key and its replica
    by_hand.py      the KMS calls of these

With the probe:
    clocks.py       what CloudFormation shows of a stack when a request arrives; shown.py: the judgements
    requests.py     the form of requests, and when CloudFormation stops waiting
    answers.py      what CloudFormation makes of answers
    failures.py     updates after a failed one, a clean-up that fails
    rollback_ids.py which id a rollback deletes
    side_by_side.py several stacks at the same time, for the acts above

With the deployed application:
    first_stacks.py a first key, its update, its rollback, its end
    owners.py       secrets and tags, and the role's rights
    lives.py        more deployments of the application: what Lambda gives up, a missing function, another architecture
    many.py         what starves other importers: a request that is handed over, 30 imports at once

    pace.py         how fast AWS is; what no act shows
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts import (
    answers,
    clocks,
    encodings,
    failures,
    first_keys,
    first_stacks,
    keys,
    lives,
    many,
    over_time,
    owners,
    pace,
    questions,
    replicas,
    requests,
    rollback_ids,
)

# They need no application and no stack. The tests play them on the strict KMS, in virtual time.
KMS_ACTS: Final[tuple[Act, ...]] = (*keys.ACTS, first_keys.ACT, *encodings.ACTS, over_time.ACT, replicas.ACT)
ACTS: Final[tuple[Act, ...]] = (
    *questions.ACTS,
    *KMS_ACTS,
    *clocks.ACTS,
    *requests.ACTS,
    *answers.ACTS,
    *failures.ACTS,
    *rollback_ids.ACTS,
    *first_stacks.ACTS,
    *owners.ACTS,
    *lives.ACTS,
    *many.ACTS,
    *pace.ACTS,
)
