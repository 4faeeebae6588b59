"""Everything that cuts captions into units, behind one type: models, baselines, clusterings, chunkers, files.

Belongs here: one file a kind, and a line for it in `open.SEGMENTERS`. Start with `open.py`.
"""
