"""CloudFormation as a custom resource's function sees it: what it may ask about a stack, its requests, its response bucket.

No engine: stacks are deployed by `lab/local`, and operated in virtual time by `lab/simulation`.
"""
