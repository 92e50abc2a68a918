"""The custodian's tool: checks, makes, wraps and combines key material for `Custom::ImportedKeyMaterial`, and hands it over.

Built on the function's own pure modules: what this tool accepts is what the function accepts. `docs/key-custodian.md` is the
reference; `cli.py` says how the parts hang together.
"""
