"""Embedding: text to vectors, by a model inside the package or by hashing."""
