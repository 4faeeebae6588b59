"""Where the checkpoints are that come with the package."""

from pathlib import Path

PACKAGED = Path(__file__).parents[1] / "packaged"
"""Its README.md is the model card."""
PACKAGED_ENCODER = PACKAGED / "image_encoder"
"""The image encoder that it sees with, a MobileNetV2: `backbone:packaged`."""
MULTILINGUAL, PACKAGED_MULTILINGUAL = "multilingual", PACKAGED.with_name("packaged_multilingual")
"""The second one, for captions in four languages: its name, and where it is. A directory of that name goes first."""
