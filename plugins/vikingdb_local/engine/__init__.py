"""The engine: SQLite keeps the rows, numpy arrays derived from it answer searches. It knows nothing of the wire."""
