"""What the function costs, as ratios within one run: `python -m lab.bench`, see __main__.py."""
