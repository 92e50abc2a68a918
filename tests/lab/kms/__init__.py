"""The strict KMS, through boto3: each behavior cites docs/internals/kms-contract.md."""
