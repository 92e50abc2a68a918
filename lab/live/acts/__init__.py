"""The acts, in the order in which they are played.

questions.py      questions with one answer, asked of AWS and of the tests' stand-ins
kms/              with only KMS
cloudformation/   with the probe
application/      with the deployed application
pace.py           how fast AWS is; what no act shows
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts import application, cloudformation, kms, pace, questions

ACTS: Final[tuple[Act, ...]] = (
    *questions.ACTS,
    *kms.ACTS,
    *cloudformation.ACTS,
    *application.ACTS,
    *pace.ACTS,
)
