"""The function behind `Custom::ImportedKeyMaterial`: KMS key material, declared in a CloudFormation stack.

    app.py, on_failure_app.py    what Lambda starts
    wiring.py                    gives each part its clients, its clock and its log
    lifecycle/                   create, update, roll back, delete: the rules of docs/internals/design.md; knows no protocol
    cloudformation/              a request in, an answer out; what the stack says; handing over; what Lambda gave up
    aws/                         calls to AWS and their errors in words; what KMS and Secrets Manager show, as types
    material/                    a secret's bytes become checked material. Pure; shared with the custodian's tool

What all of them use: `properties.py` (what may be declared, with schema.json), `consent.py` (the tag rule), `key_id.py` (a
key's id, its ARN, the physical ids), `errors.py`, `clock.py`, `safe_log.py`.

Imports go downwards in this order, and in no circle: app, wiring, lifecycle, cloudformation, aws, material, what all use.
tests/unit/test_architecture.py holds it.
"""
