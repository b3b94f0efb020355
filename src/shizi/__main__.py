"""`python -m shizi` is the command `shizi`."""

from shizi.cli.main import main

if __name__ == "__main__":
    main()
