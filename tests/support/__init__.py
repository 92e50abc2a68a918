"""What the tests, the demo and the benchmarks stand on: a strict KMS, a local AWS."""
