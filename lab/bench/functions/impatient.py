"""The on-failure function, but for its wait: an answer of the first function is not given time to arrive.

The wait is the same ten seconds on every machine; what is left of an invocation is what a program can take long for.
"""

from imported_key_material import on_failure, on_failure_app

vars(on_failure)["ANSWER_ARRIVES_SECONDS"] = 0.0  # vars: the name is Final

handler = on_failure_app.handler
