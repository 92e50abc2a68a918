"""All tests: unit, contract, custodian, lab, e2e; and support, which they share."""
