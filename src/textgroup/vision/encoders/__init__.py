"""Image encoders: an image in, `Objects` out (one vector an object, a pooled vector, masks).

Belongs here: one file an encoder, and a line for it in `open.ENCODERS`. Imports `vision.preprocess`; the store and
inference import it. Start with `objects.py`, the contract; `tower.py` is a GroupViT that is trained.
"""
