"""What the function costs, as ratios within one run: `python -m benchmarks`, see __main__.py."""
