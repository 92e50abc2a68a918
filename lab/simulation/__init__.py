"""A deterministic world around the real function: CloudFormation's engine, Lambda's queue, people, faults, one seed.

    scheduler.py   virtual time; tasks that take turns at every wait
    aws.py         a cheap AWS below botocore that shows every call to the watch
    functions.py   Lambda's asynchronous invocation: retries, duplicates, late delivery, crashes, environments
    engine.py      CloudFormation's operations; resources.py, requests.py, shown.py are parts of it
    plan.py        people's plans, as data; drawing.py draws them, half of them from the scripts of scripts.py
    people.py      what people do; estate.py: their keys and secrets
    watch.py       sees all; notes.py: what the function was shown; truth.py: what is true
    calls.py       the invariants of calls; answers.py and ends.py: the other invariants; attributes.py: Fn::GetAtt
    history.py     one history, from plan to verdict, and the shortest history with the same failure; world.py: its parts
    story.py       a failure in plain words
    table.py       every fault at every call of every operation (`make table`)
    mutations.py   planted bugs that must be found
    __main__.py    many histories on all cores (`make simulate`); many.py: the work of each process

As in FoundationDB's and TigerBeetle's simulations, faults are on or off for a whole history, one seed decides everything, and
a seed repeats its failure exactly, call by call.
"""
