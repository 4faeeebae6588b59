"""The image side: decoding and resizing, frozen encoders that give objects, and their features on disk.

Its rooms: `encoders/` and `store/`. Imports `data`, `model.noise` and below; inference and all above import it.
Start with `preprocess.py` (a photograph is resized there), then `encoders/objects.py`.
"""
