"""A step in pieces that equals a step at once: GradCache over chunks, and the same for a trained image tower.

Imports `objectives`; the loop imports it. Start with `gradcache.py`. (Noise by name: `model/noise.py`; several
processes: `training/distributed.py`.)
"""
