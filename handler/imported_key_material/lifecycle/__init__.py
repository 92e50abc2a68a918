"""What a request does to a key: the rules of docs/internals/design.md, in their order.

    resource.py         create and update: what is to be done, and whether there is anything to do
    rollback.py         an update that undoes another one: it must not fail (rule 6)
    removal.py          delete (rule 2)
    job.py              one request at work: all that the steps need, and rule 1
    checks.py           everything that is checked before an import (rule 3)
    secret_material.py  a version of the secret becomes checked material
    importing.py        the steps of an import, in their order; what is answered
    sealing.py          parameters, seal, wipe
    symmetric.py        a key with several materials; rotation.py makes one of them current (rule 5)
    key_change.py       what is asked right before each change
    confirmation.py     whether KMS holds what was sent
    declared_expiry.py  the declared expiry against the one that KMS shows
    attributes.py       what Fn::GetAtt gives
    refusals.py         KMS's short errors in our words
    still_needed.py     whether a request that waits for quota is still needed

Of cloudformation/ it uses the request, the outcome and what the stack says. Events, answers and their delivery are not for
this room.
"""
