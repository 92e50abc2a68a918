"""Hundreds of keys at once, against one quota: how long they wait, how often they call, what it costs.

`make quota` runs it; docs/internals/scale.md has its figures.

It runs the real function code in the simulation's virtual time (`lab/simulation`), with limits of scale in place of faults.

    crowd.py       the input, as data: how many resources, at which rate, in how many stacks
    edges.py       KMS with its quotas, counted; CloudFormation with its own rate; clients
    limits.py      Lambda's concurrency: the account's limit, the ramp, cold starts, the queue
    stacks.py      stacks whose resources start as CloudFormation starts them
    ways.py        how callers get through the quota: the function's own way, and two usual ways to compare with
    world.py       runs everything, from a crowd to its outcome
    standing.py    requests that wait only for CloudFormation's reads, not for KMS's quota: no-op updates, clean-up Deletes
    plaintext.py   counts how often a secret is read, and measures how long plaintext is held
    outcome.py     the figures of one run
    comparison.py  compares the ways, and shows the function's own way as the crowd grows
    svg.py         plots; page.py: tables and plots into docs/internals/scale.md
    __main__.py    the command
"""
