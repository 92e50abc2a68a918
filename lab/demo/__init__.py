"""`make demo`: the whole story on a local AWS, from empty keys to used ones, and back to empty ones.

    story.py      prints it: steps, sentences, times
    openssl.py    another implementation: makes keys, wraps them, checks what KMS computed
    ceremony.py   what a key custodian does: makes material, wraps it, puts it into Secrets Manager
    evidence.py   shows that KMS holds the material
    warned.py     what the people who operate the keys see: the watch's digest, and the inventory
    acts.py       what happens, act by act
    __main__.py   runs the acts in their order, and says what to look at when one fails

It prints no material. The last act looks for material in everything that was written.
"""
