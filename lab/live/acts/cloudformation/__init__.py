"""The acts with the probe: what CloudFormation sends, shows, and makes of answers. None of them uses the application.

clocks.py         what CloudFormation shows of a stack when a request arrives
shown.py          its judgements
requests.py       the form of requests, and when CloudFormation stops waiting
answers.py        what CloudFormation makes of answers
failures.py       updates after a failed one, a clean-up that fails
rollback_ids.py   which id a rollback deletes
played.py         the stacks of these acts, several at the same time
"""

from typing import Final

from lab.live.act import Act
from lab.live.acts.cloudformation import answers, clocks, failures, requests, rollback_ids

ACTS: Final[tuple[Act, ...]] = (
    *clocks.ACTS,
    *requests.ACTS,
    *answers.ACTS,
    *failures.ACTS,
    *rollback_ids.ACTS,
)
