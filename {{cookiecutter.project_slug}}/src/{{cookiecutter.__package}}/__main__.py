"""Lets `python -m` start the same program as the installed command."""

from .commands import main

if __name__ == "__main__":
    main()
