"""Stands in for the AWS CLI, as far as the pages use it: the same words, parameters, output and errors.

python -m lab.aws_cli kms get-public-key --key-id alias/... --query PublicKey --output text

parameters.py  turns the words of a command into a call, by botocore's models
cli.py         makes the call, and prints its answer
__main__.py    the program; inside a process, `cli.run` does the same with clients that the caller passes
"""
