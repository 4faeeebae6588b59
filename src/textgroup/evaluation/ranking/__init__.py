"""Pairwise ranking of probes: accuracy, the benchmarks' own scores, scoring by models, tables.

Start with `accuracy.py`; `scoring.py` runs models over rows, `blind.py` scores captions without images.
"""
