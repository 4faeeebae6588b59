"""What a run leaves behind and says on the way: checkpoints, log, monitors, progress.

Start with `checkpoint.py`.
"""
