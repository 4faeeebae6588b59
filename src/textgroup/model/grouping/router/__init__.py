"""Cutting a caption into units: two views of each boundary, the cut itself, and how the views train each other.

Used by `grouping/dynamic.py` alone. Start with `router.py`.
"""
