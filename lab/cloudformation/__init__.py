"""CloudFormation as a custom resource's function sees it: reads of a stack, requests, and the response bucket.

No engine: stacks are deployed by `lab/local`, and operated in virtual time by `lab/simulation`.
"""
