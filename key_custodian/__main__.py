"""`python -m key_custodian`, and the program `custodian`."""

from key_custodian.cli import main

if __name__ == "__main__":
    main()
