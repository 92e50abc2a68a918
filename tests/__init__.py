"""The proof, in four rings: unit, contract, e2e, and what they stand on (support)."""
