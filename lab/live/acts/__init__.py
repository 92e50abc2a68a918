"""The acts, in the order in which they are played.

questions.py    questions with one answer, asked of AWS and of the tests' stand-ins
keys.py         only KMS: import, re-import, expiry, deletion, rotation, encodings
protocol.py     what CloudFormation sends, and when it shows what (the probe)
rollback_ids.py which id a rollback deletes
pace.py         how fast AWS is; what no act shows
application.py  the deployed application: first keys, secrets, failures, its own life
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts import application, keys, pace, protocol, questions, rollback_ids

ACTS: Final[tuple[Act, ...]] = (
    *questions.ACTS,
    *keys.ACTS,
    *protocol.ACTS,
    *rollback_ids.ACTS,
    *application.ACTS,
    *pace.ACTS,
)
