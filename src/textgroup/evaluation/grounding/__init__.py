"""Heat maps of phrases over photographs against the boxes that people drew: pointing, boxes, area under the curve.

Belongs here: the figures (`pointing.py`), what gives heat maps (`grounders.py`), the benchmark around both and its
tables. Imports inference and below; cli imports it. Start with `pointing.py`.
"""
