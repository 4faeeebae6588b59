"""Cutting a caption into units: what cuts, and how it learns to, from captions alone.

Used by `grouping/dynamic.py` alone. Start with `router.py`; `learning.py` is how a router comes about.
"""
