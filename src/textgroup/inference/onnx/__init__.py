"""Models for where PyTorch is not installed: written as ONNX files, and in use.

Belongs here: what each file computes (`parts.py`), how it is written and compared with PyTorch (`write.py`); and what
runs without PyTorch, the segmenter (`cutter.py`) and what points at photographs (`grounder.py`), both on `session.py`.
Start with `parts.py`.
"""
