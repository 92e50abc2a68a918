"""`make demo`: the whole story on a local AWS, from empty keys to used ones, and back to empty ones.

    story.py      how it is told: steps, sentences, times
    openssl.py    the far side: makes keys, wraps them, checks what KMS computed
    ceremony.py   what a key custodian does: makes material, wraps it, puts it into Secrets Manager
    evidence.py   shows that KMS holds the material
    acts.py       what happens, act by act
    __main__.py   the order of the acts, and what to look at when one fails

It prints no material: a last act looks for it in everything that was written.
"""
