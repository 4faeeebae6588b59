"""The trainable model: text encoder (a grouping), decoder, heads, and reading and writing checkpoints.

Belongs here: modules and their weights; no training, no images but their vectors. Imports `data`, `text`, `config`;
vision and all above import it. Start with `textgroup.py`; Eq. 1 to 4 are in `grouping/attention.py`.
"""
