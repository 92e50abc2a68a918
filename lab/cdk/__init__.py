"""`make cdk`, second half: deploys on a local AWS what the construct of examples/cdk/ makes.

It needs no CDK, because it deploys the recorded template. The first half, examples/cdk/test_imported_key.py, runs in .venv-cdk
and shows that the app makes exactly this template.
"""
