"""`python -m lis_online` is `lis-online`."""

from lis_online.cli.main import run

if __name__ == "__main__":
    run()
