"""CloudFormation's side: a request in, one answer out, and what the stack says.

    request.py            an event becomes a request, or is refused
    outcome.py            what a request ends with: Answer or Failed
    responder.py          the Lambda handler: one request, one answer; crhelper_adapter.py: what crhelper does in it
    answer.py             the text of the answer; delivery.py: its PUT
    stack.py              whether the request is wanted, and whether the stack rolls back (rules 6 and 9)
    shown.py              what rule 9's "no" depended on, for the log
    stack_events.py       what the stack's events show; stack_resources.py: which resources of the stack hold the key
    deadline.py           until when a request may be worked on
    handover.py           continues a request in a fresh invocation
    lambda_failure.py     Lambda's record of an invocation that it gave up; on_failure.py answers for it

It may use aws/ and what is below it. It knows nothing of the life cycle.
"""
