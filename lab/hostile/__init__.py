"""Input that wants the function to hang, to loop or to drown; and what one invocation may cost, whatever comes.

    python -m lab.hostile [--exact] [name ..]     each in a process of its own, with hard limits

    row.py          what a hostile input is          keys.py     private keys        texts.py      PEM, JSON, text, bytes
    properties.py   declarations                     events.py   whole events        running.py    runs and measures them
    planted.py      defects that the measuring must find

A new attack is a new row. The function under it is the real one, with its real clients, in the world of one process
(`world.py`); what is measured is what one invocation takes, from the JSON of its event to its answer.
"""
