"""`make chaos`: real stacks on a local AWS, whose function is killed, starved and cut off at moments that a seed draws.

    fates.py      what happens to one invocation, and to each of its calls; drawn from the seed, by name
    line.py       the line between the function and its AWS: it cuts, stalls, floods, and answers with errors
    director.py   watches every invocation, gives each its fate, kills, and counts
    material_check.py   key material, and the proof by cryptography that a key holds it
    custodian.py  makes material, wraps it, stores it; makes keys
    stories.py    what a story is: the steps of one stack, and what each must leave in which key
    kinds.py      the stories
    theater.py    a local AWS with the line in it, and the application deployed
    playing.py    plays a story, step by step, and says what is wrong
    verdicts.py   what may come of an operation: final statuses, answers, leaks

docs/internals/chaos.md tells what is shown and what is allowed.
"""
