"""`make live`: settles on real AWS what this project assumes of it, and leaves a record that the tests replay.

    assumptions.toml   the assumptions: what is assumed, what depends on it, what a user meets if it is wrong, the evidence
    assumptions.py     reads them
    verdicts.py        what an act finds: as assumed, otherwise, not seen
    act.py             an act: what it settles, makes and costs, and how long it may take
    acts/              the acts
    account.py         the AWS account: the caller's own, or the local AWS
    run_list.py        the list of all that a run makes, written before it is made, and read for cleaning
    made.py            makes keys, secrets, buckets and stacks, each noted first
    probe.py           a function that shows what CloudFormation really sends
    stage.py           what an act gets
    questions/         questions with one answer, asked of AWS and of the stand-ins
    record.py          the record: facts, without names, ids, URLs and material
    records.py         reads records, and says what was seen on AWS
    program.py         plays the acts, says what was seen, cleans up
    __main__.py        the command

It touches nothing that it did not make. All names begin with `ikm-live-` and the run. LOCAL=1 plays it on the local AWS.
"""
