"""The embedded engine beside its peers: the same rows, the same questions, one at a time. ``make bench-local``."""
