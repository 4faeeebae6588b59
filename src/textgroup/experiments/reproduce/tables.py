"""The tables and figures of the paper, and those of checks: which rows each has, and which figures of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from textgroup.experiments.reproduce.systems import BASELINE, CLUSTERINGS, ENCODER, ROLES, TRIVIAL


@dataclass(frozen=True)
class Table:
    """A table of the paper, or one of checks. rows: in order. figures: its columns. paper: its rows of these columns,
    as printed."""

    title: str
    rows: tuple[str, ...]
    figures: tuple[str, ...]
    paper: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


PHRASES = ("tiou", "precision", "recall", "f1", "strict_tiou", "exact_f1")
RANKED = (BASELINE, "recipe", "fixed", "dynamic")
SVO = ("svo/subject", "svo/verb", "svo/object", "svo/overall")
TABLE5 = tuple(f"fixed/k{k}" if k != 4 else "fixed" for k in (1, 2, 4, 8, 16))
VARIANTS = ("bottom_up", "soft", "two_blocks", "equal_split", "mean_tokens", "late_tokens", "shuffled_images", "joint")
OTHERS = ("/on_coco", "/on_alt_texts", "/on_french")
"""Variants that are trained on other captions."""
TABLES: dict[str, Table] = {
    "table1": Table(
        "SVO-Probes: pairwise ranking accuracy",
        (ENCODER, *RANKED, *(f"{row}@oracle" for row in RANKED)),
        SVO,
        {
            "random": ("50", "50", "50", "50"),
            "groupvit": ("81.6", "77.3", "91.7", "81.0"),
            "baseline": ("80.5", "69.5", "89.0", "75.3"),
            "ours, K = 4": ("80.3", "70.1", "90.4", "76.0"),
        },
    ),
    "table2": Table(
        "FOIL-COCO: pairwise ranking accuracy",
        (ENCODER, *RANKED, *(f"{row}@oracle" for row in RANKED)),
        ("foil", "attribute", "relation", "t2i_r1"),
        {"random": ("50",), "groupvit": ("82.5",), "baseline": ("80.91",), "ours, K = 4": ("81.68",)},
    ),
    "table3": Table(
        "Phrases: zero-shot segmentation",
        (*CLUSTERINGS, *TRIVIAL[:2], "equal:4", "recipe", "fixed", "dynamic"),
        PHRASES,
        {
            "random (untrained)": ("42.15", "61.51", "60.03", "54.54"),
            "baseline, k-means": ("52.77", "61.82", "64.87", "59.55"),
            "baseline, spectral clustering": ("38.88", "49.81", "52.82", "45.52"),
            "baseline, mean shift": ("50.38", "99.64", "51.73", "65.13"),
            "ours, K = 4": ("76.42", "87.25", "85.83", "83.72"),
        },
    ),
    "table4": Table(
        "What each loss is for",
        (
            *(f"{role}{ablation}" for role in ROLES[:2] for ablation in ("", "/no_contrastive", "/no_reconstruction")),
            *(f"{role}{ablation}@oracle" for role in ROLES[:2] for ablation in ("", "/no_reconstruction")),
        ),
        ("tiou", *SVO, "foil", "nouns"),
        {
            "ours": ("76.42", "80.3", "70.1", "90.4", "76.0", "81.68", "84.12"),
            "without contrastive loss": ("76.18", "51.4", "49.7", "50.8", "50.2", "42.59", "48.26"),
            "without reconstruction loss": ("40.80", "78.2", "72.6", "89.1", "76.9", "78.66", "81.98"),
        },
    ),
    "table5": Table(
        "The number of groups",
        (*TABLE5, *(f"equal:{k}" for k in (1, 2, 4, 8, 16))),
        ("tiou", "svo/overall", "foil", "strict_tiou"),
        {
            "K = 1": ("43.55", "74.99", "80.23"),
            "K = 2": ("53.12", "75.30", "80.01"),
            "K = 4": ("76.42", "76.0", "81.68"),
            "K = 8": ("63.93", "74.8", "80.56"),
            "K = 16": ("52.54", "72.4", "79.43"),
        },
    ),
    "checks": Table(
        "Checks, and the paper's open questions",
        ("fixed", *(f"fixed/{variant}" for variant in VARIANTS)),
        ("tiou", "strict_tiou", "svo/overall", "foil", "nouns", "t2i_r1"),
    ),
    "objects": Table(
        "Which object a unit refers to, for an ideal observer's objects",
        ("dynamic@oracle", "dynamic/alignment@oracle"),
        ("refers", "refers_or_none", "none", "chance", "t2i_r1"),
    ),
    "captions": Table(
        "Trained on the captions of others, without images: which number of groups is best",
        tuple(f"fixed/no_contrastive{k}{data}" for data in ("", *OTHERS) for k in ("/k2", "", "/k8")),
        ("tiou", "strict_tiou", "f1", "units"),
    ),
}
FIGURES: dict[str, tuple[str, ...]] = {
    "figure2": ("recipe", "fixed"),
    "figure3": ("recipe/no_reconstruction", "fixed/no_reconstruction"),
}
"""Figures of the paper: soft attention over subwords, with and without reconstruction; the rows that are drawn."""
ALL = (*TABLES, *FIGURES)


def rows_for(names: Iterable[str]) -> list[str]:
    """The rows that these tables and figures need, each once."""
    rows = (row for name in names for row in (TABLES[name].rows if name in TABLES else FIGURES[name]))
    return list(dict.fromkeys(rows))
