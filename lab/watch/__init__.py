"""The watch in the one-process world.

playing.py   one watch, the events that invoke it, and what it publishes
many.py      over thousands of keys, with KMS's quotas: calls, time, memory
"""
