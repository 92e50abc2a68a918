"""Questions with one answer: asked of AWS by `make live`, and of the stand-ins by the tests, by the same code.

    question.py         a question, what it gets, and how it is asked
    things.py           what must exist for the questions: keys and secrets, made by the calls of their services
    stacks.py           the stacks that they are about, made by CloudFormation
    stand_ins.py        the stand-ins in one process, with the same things, and the same stacks set as they would be
    cloudformation.py   kms.py   lambda_.py   secretsmanager.py   the questions
    on_failure.py       shapes of Lambda's records, which are no questions

An answer is plain JSON. Names and numbers of the caller are replaced, so that the answers of two accounts can be compared.
"""

from typing import Final

from lab.live.questions import cloudformation, kms, lambda_, secretsmanager
from lab.live.questions.question import Question

QUESTIONS: Final[tuple[Question, ...]] = (
    *cloudformation.QUESTIONS,
    *secretsmanager.QUESTIONS,
    *kms.QUESTIONS,
    *lambda_.QUESTIONS,
)
