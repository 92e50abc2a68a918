"""`python -m custodian`, and the program `custodian`."""

from custodian.cli import main

if __name__ == "__main__":
    main()
