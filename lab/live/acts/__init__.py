"""The acts, in the order in which they are played.

keys.py         KMS alone: import, re-import, expiry, deletion, rotation, encodings
clocks.py       what CloudFormation shows of a stack when a request arrives (the probe)
shown.py        the judgements of clocks.py
requests.py     the form of requests, and when CloudFormation stops waiting (the probe)
answers.py      what CloudFormation makes of answers (the probe)
failures.py     updates after a failed one, a clean-up that fails (the probe)
side_by_side.py several stacks at the same time, for the acts above
application.py  the deployed application: first keys, secrets, failures, its own life
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts import answers, application, clocks, failures, keys, requests

ACTS: Final[tuple[Act, ...]] = (
    *keys.ACTS,
    *clocks.ACTS,
    *requests.ACTS,
    *answers.ACTS,
    *failures.ACTS,
    *application.ACTS,
)
