"""How sharply a unit attends to objects: in training, and in use, where PyTorch may not be installed."""

SHARPNESS = 15.0
"""Factor of the cosines in the softmax by which a unit attends to objects; docs/experiments.md 8.3."""
