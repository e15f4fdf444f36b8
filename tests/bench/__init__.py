"""Benchmarks: a command, not tests. ``make bench`` prints a table of figures against goals."""
