"""Encoded images and photographs on disk: written once, resumable, memory-mapped.

Belongs here: files, manifests and locks. Imports `vision.encoders`; training and evaluation import it.
Start with `reading.py`, then `writing.py`; `processes.py` is for several writers.
"""
