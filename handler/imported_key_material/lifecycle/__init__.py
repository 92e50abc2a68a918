"""What a request does to a key: the rules of docs/internals/design.md, in their order.

    resource.py         create and update: decides what to do, and whether there is anything to do
    rollback.py         an update that undoes another one: it must not fail (rule 6)
    removal.py          delete (rule 2)
    job.py              one request: what the steps need, and rule 1
    checks.py           everything that is checked before an import (rule 3)
    secret_material.py  turns a version of the secret into checked material
    importing.py        the steps of an import, in their order, and its answer
    sealing.py          fetches the import parameters, seals the material, wipes it
    symmetric.py        imports into a key with several materials; rotation.py makes one of them current (rule 5)
    key_change.py       the checks right before each change
    confirmation.py     checks that KMS holds what was sent
    declared_expiry.py  compares the declared expiry with the expiry that KMS shows
    attributes.py       what Fn::GetAtt returns
    refusals.py         explains KMS's short errors
    still_needed.py     whether a request that waits for quota is still needed

From cloudformation/ this package uses only the request, the outcome and the stack. It knows nothing of events, of
the format of answers, or of delivery.
"""
