"""`python -m key_custodian`, and the program `key-custodian`."""

from key_custodian.cli import main

if __name__ == "__main__":
    main()
