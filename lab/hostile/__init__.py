"""Input that tries to make the function hang, loop or run out of memory; and the limits of one invocation's cost.

    python -m lab.hostile [--exact] [name ..]     each in its own process, with hard limits

    row.py          what a hostile input is          keys.py     private keys        texts.py      PEM, JSON, text, bytes
    properties.py   declarations                     events.py   whole events        running.py    runs and measures them
    planted.py      defects that the measurement must find

A new attack is a new row. The function is the real one, with its real clients, in the one-process world (`world.py`). One
invocation is measured, from the JSON of its event to its answer.
"""
