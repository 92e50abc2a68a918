"""The stand-in for CloudFormation."""
