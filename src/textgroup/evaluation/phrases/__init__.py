"""Units against gold phrases: tIoU, precision, recall, F1, strict and exact figures.

Belongs here: the metric, the benchmark around it, its tables. Start with `tiou.py`, which has the numbers worked out.
"""
