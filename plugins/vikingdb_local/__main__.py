"""``python -m vikingdb_local``."""

from .command import main

if __name__ == "__main__":
    raise SystemExit(main())
