"""A checkpoint in use: captions to units, captions and images to vectors, references and heat maps.

Its methods are the public surface (docs/api.md). Imports model and vision; evaluation and all above import it.
Start with `textgroup.py`; `given.py` checks what the caller gave.
"""
