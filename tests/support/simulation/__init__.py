"""A deterministic world around the real function: CloudFormation's engine, Lambda's queue, people, faults, one seed.

    scheduler.py   virtual time; tasks that take turns at every wait
    functions.py   Lambda's asynchronous invocation: retries, duplicates, late delivery, crashes, environments
    engine.py      CloudFormation's engine: create, update, delete, rollback of each, clean-up, cancelled operations
    watch.py       what the function reads and does, and the invariants that must hold
    history.py     one history: drawn from a seed, played, judged
    __main__.py    many histories on all cores (`make simulate`)

In the manner of FoundationDB's and TigerBeetle's simulations: faults are on or off for a whole history, one seed decides
everything, and what fails is repeated to the call by its seed.
"""
