"""Models for where PyTorch is not installed: written as ONNX files, and the segmenter among them in use.

Belongs here: what each file computes (`parts.py`), how it is written and compared with PyTorch (`write.py`), and
the segmenter on onnxruntime (`cutter.py`), the only module here that runs without PyTorch. Start with `parts.py`.
"""
