"""Hundreds of keys at once, against one quota: how long they wait, what they ask, what it costs (`make quota`;
docs/internals/scale.md).

The real function code in the simulation's virtual time (`lab/simulation`), with what matters at scale in place of
what goes wrong.

    crowd.py       what is asked for, as data: how many resources, at which rate, in how many stacks
    edges.py       KMS with its quotas, counted; CloudFormation with a rate of its own; clients
    limits.py      Lambda's concurrency: the account's limit, the ramp, cold starts, the queue
    stacks.py      stacks whose resources start as CloudFormation starts them
    ways.py        how the quota is got through: the function's own way, and two usual ones to compare with
    world.py       all of it, from a crowd to its outcome
    standing.py    what needs no quota of KMS's, and waits for CloudFormation's reads: no-op updates, clean-up Deletes
    plaintext.py   how often a secret is read, and how long plaintext is held
    outcome.py     the figures of one run
    comparison.py  the ways beside each other, and the function's own way as the crowd grows
    svg.py         plots; page.py: tables and plots into docs/internals/scale.md
    __main__.py    the command
"""
