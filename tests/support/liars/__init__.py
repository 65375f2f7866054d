"""Liars: extensions that break one promise each. ``BREAKS`` says which, and ``test_contracts.py`` has them tried."""
