"""Training: inputs, the loop, the losses, and what a run leaves on disk.

Its rooms: `objectives/` (one loss a file), `exactness/` (chunks change no gradient), `runs/` (checkpoints,
log, monitors). Imports evaluation and below; experiments and cli import it. Start with `loop.py`.
"""
