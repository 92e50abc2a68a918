"""The function behind `Custom::ImportedKeyMaterial`: KMS key material, declared in a CloudFormation stack.

    app.py, on_failure_app.py, watch_app.py    what Lambda starts
    wiring.py                    gives each part its clients, its clock and its log
    lifecycle/                   create, update, roll back, delete: the rules of docs/internals/design.md; knows no protocol
    cloudformation/              reads requests, sends answers, reads the stack, hands over; the on-failure function
    watch/                       looks at all keys, and reports what will expire or is out of use
    aws/                         calls to AWS, and their errors in our words; what KMS and Secrets Manager show, as types
    material/                    turns a secret's bytes into checked material. Pure; shared with the custodian's tool

All of them use: `properties.py` (what may be declared, with schema.json and `schema_validator.py`, written from it),
`consent.py` (the tag rule), `key_id.py` (a key's id, its ARN, the physical ids), `errors.py`, `clock.py`, `meter.py` (what
is measured), `safe_log.py`, `invocation.py` (what Lambda gives one).

Imports only go downwards, in this order: app, wiring, lifecycle, cloudformation, watch, aws, material, the modules that all
use. Only watch_app.py and the custodian's tool know the watch.
tests/unit/test_architecture.py checks it.
"""
