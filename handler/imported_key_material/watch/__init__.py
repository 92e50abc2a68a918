"""The watch: looks at all keys with imported material, and says what will expire, what is out of use, what it can't see.

    occasion.py    why the watch runs: the schedule, or an event about one key; which findings are due then. Pure
    estate.py      what was seen: keys, materials, tags, and the resources of stacks that hold the keys. Pure
    look.py        sees it, by calls that only read
    findings.py    what follows from it: a closed list of kinds. Pure
    advice.py      each kind of finding in words, with the commands to run. Pure
    digest.py      findings as a message for people. Pure
    calls.py       the calls of one run, which wait for a throttle to pass
    metrics.py     three metrics
    run.py         the Lambda handler: look, find, measure, publish

It reads, writes its log and metrics, and publishes to one topic; it can do nothing else, and keeps nothing between two runs.
It may use aws/ and what is below it, without the rules for material. `estate.py`, `look.py` and `findings.py` are shared with
`key-custodian inventory`.
"""
