"""`make chaos`: real stacks on a local AWS. Their function is killed, starved and cut off at moments that a seed draws.

    fates.py      draws from the seed, by name, what happens to an invocation and to each of its calls
    line.py       the line between the function and its AWS, which cuts, stalls, floods, and answers with errors
    director.py   watches every invocation, gives each its fate, kills and counts
    material.py   key material, and the cryptographic proof that a key holds it
    custodian.py  makes material, wraps it, stores it; makes keys
    stories.py    defines a story: the steps of one stack, and what each step must leave in which key
    kinds.py      the stories
    theater.py    a local AWS with the line in it, and the application deployed
    playing.py    plays a story step by step, and says what is wrong
    verdicts.py   the allowed results of an operation: final statuses, answers, leaks

docs/internals/chaos.md says what this proves, and what is allowed.
"""
