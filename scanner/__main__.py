"""`python -m scanner`: the command line."""

from scanner.cli.app import run

if __name__ == "__main__":
    run()
