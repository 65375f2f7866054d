"""Fault injection: an engine that fails on demand, for tests of what a program does then."""
