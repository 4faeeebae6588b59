"""Ranking benchmarks: rows of two pairs of image and caption, one of which fits better.

Belongs here: one file a benchmark, and a line for it in `read.READERS`. Imports `data.sources`; evaluation imports it.
Start with `rows.py`, then `read.py`.
"""
