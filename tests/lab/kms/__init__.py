"""The strict KMS, through boto3: each behavior cites docs/kms-contract.md."""
