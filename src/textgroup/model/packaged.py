"""Where the checkpoint is that comes with the package."""

from pathlib import Path

PACKAGED = Path(__file__).parents[1] / "packaged"
"""Its README.md is the model card."""
