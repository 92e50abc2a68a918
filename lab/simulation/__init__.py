"""A deterministic world around the real function: CloudFormation's engine, Lambda's queue, people, faults, one seed.

    scheduler.py   virtual time; tasks that take turns at every wait
    aws.py         AWS below botocore, cheap, every call seen
    functions.py   Lambda's asynchronous invocation: retries, duplicates, late delivery, crashes, environments
    engine.py      CloudFormation's operations; resources.py, requests.py, shown.py are parts of it
    plan.py        what people plan, as data; drawn by drawing.py, half of it by the scripts of scripts.py
    people.py      what people do; estate.py: their keys and secrets
    watch.py       sees all; notes.py: what the function was told; truth.py: what is so
    calls.py       the invariants, judged as they come; answers.py and ends.py, too
    history.py     one history, from plan to verdict, and the shortest that fails alike; world.py: all that is in it
    story.py       a failure in plain words
    table.py       every fault at every call of every operation (`make table`)
    mutations.py   planted bugs that must be found
    __main__.py    many histories on all cores (`make simulate`); many.py: what each process does

In the manner of FoundationDB's and TigerBeetle's simulations: faults are on or off for a whole history, one seed decides
everything, and what fails is repeated to the call by its seed.
"""
