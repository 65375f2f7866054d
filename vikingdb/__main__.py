"""``python -m vikingdb``: the commands of core and of whatever else is installed."""

from vikingdb_core.commands import main

if __name__ == "__main__":
    raise SystemExit(main(prog="python -m vikingdb"))
