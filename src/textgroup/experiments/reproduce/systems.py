"""The rows of the tables, and what each of them is.

A trained row has the name of its configuration: BASE, or BASE/VARIANT, with a file of `config/shipped/variants` for
each variant; @oracle after it for the objects of an ideal observer. BASE is a role that each scale has a file for:

    recipe    the paper's recipe (Section 4.1) at the size of the scale
    fixed     the same number of groups with what was learned since: the leak closed, balance, contiguity
    dynamic   as many groups as the caption needs

A row that is not trained has the name of its segmenter, such as equal:4 (`evaluation/segmenters/open.py`).
"""

from typing import NamedTuple

ROLES = ("recipe", "fixed", "dynamic")
ENCODER = "groupvit"
"""The row of the object encoder with its own text tower; rows that need it wait for its run."""
UNTRAINED = "recipe/untrained"
TRIVIAL = (UNTRAINED, "left-entropy", *(f"equal:{parts}" for parts in (1, 2, 4, 8, 16)))
"""Rows that are not trained."""
CLUSTERINGS = ("kmeans:4", "spectral:4", "meanshift")
"""Rows that cluster the tokens of the baseline (Table 3)."""
BASELINE = "recipe/baseline"


class System(NamedTuple):
    """A trained row, taken apart."""

    role: str
    variants: tuple[str, ...]
    oracle: bool

    @classmethod
    def parse(cls, name: str) -> "System":
        """From its name."""
        configuration, _, objects = name.partition("@")
        role, *variants = configuration.split("/")
        return cls(role, tuple(variants), objects == "oracle")

    @property
    def needs_encoder(self) -> bool:
        """Whether it is trained or measured with images of the object encoder; `joint` has one of its own."""
        return not self.oracle and not {"no_contrastive", "joint"} & set(self.variants)
