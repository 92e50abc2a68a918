"""The function behind `Custom::ImportedKeyMaterial`: KMS key material, declared in a CloudFormation stack."""
