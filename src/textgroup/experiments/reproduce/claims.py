"""The claims of the paper, each with the comparison that decides it, by the rule of docs/claims.md."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from textgroup.experiments.reproduce.results import Difference, Results
from textgroup.experiments.reproduce.systems import BASELINE, CLUSTERINGS, UNTRAINED

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decidable at this scale"
ROLES = ("recipe", "fixed")
"""The paper's recipe, and ours with the same number of groups: most claims are asked of both."""
SEEING = (*ROLES, *(f"{role}@oracle" for role in ROLES))
"""What claims about the understanding of images are asked of: both once more, with an ideal observer's objects."""


class Comparison(NamedTuple):
    """`better` has more of `figure` than `worse`. In names of rows, "ours" stands for a role.

    For a role @oracle, both rows see the ideal observer's objects."""

    better: str
    worse: str
    figure: str


class Claim(NamedTuple):
    """place: in the paper. text: what it claims, or what we ask beside it. comparisons: all have to hold."""

    place: str
    text: str
    comparisons: tuple[Comparison, ...]
    roles: tuple[str, ...] = ROLES


CLAIMS = (
    Claim(
        "goal",
        "units agree with phrases better than equal parts, as many as there are groups",
        (Comparison("ours", "equal:4", "tiou"), Comparison("ours", "equal:4", "strict_tiou")),
    ),
    *(
        Claim(place, text, (Comparison("ours", BASELINE, figure),), SEEING)
        for place, text, figure in (
            ("goal", "nouns are understood better than by one vector", "nouns"),
            ("Table 1", "groups rank SVO pairs better than one vector", "svo/overall"),
            ("Table 1", "groups understand objects better than one vector", "svo/object"),
            ("Table 1", "groups understand verbs better than one vector", "svo/verb"),
            ("Table 2", "groups find a foiled noun better than one vector", "foil"),
        )
    ),
    Claim(
        "Table 3",
        "units agree with phrases better than an untrained model's",
        (Comparison("ours", UNTRAINED, "tiou"), Comparison("ours", UNTRAINED, "f1")),
    ),
    Claim(
        "Table 3",
        "units agree with phrases better than clusters of the baseline's tokens",
        tuple(Comparison("ours", row, figure) for row in CLUSTERINGS for figure in ("tiou", "f1")),
    ),
    Claim(
        "Table 4",
        "without the contrastive loss units agree less with phrases",
        (Comparison("ours", "ours/no_contrastive", "tiou"),),
    ),
    Claim(
        "Table 4",
        "without the reconstruction loss units agree less with phrases",
        (Comparison("ours", "ours/no_reconstruction", "tiou"),),
    ),
    Claim(
        "Table 4",
        "without the reconstruction loss nouns are understood less",
        (Comparison("ours", "ours/no_reconstruction", "nouns"),),
        SEEING,
    ),
    Claim(
        "Table 4",
        "without the reconstruction loss verbs are understood better",
        (Comparison("ours/no_reconstruction", "ours", "svo/verb"),),
        SEEING,
    ),
    Claim(
        "Table 5",
        "of 1, 2, 4, 8 and 16 groups, four agree best with phrases",
        tuple(Comparison("ours", f"ours/k{k}", "tiou") for k in (1, 2, 8, 16)),
        ("fixed",),
    ),
    Claim(
        "Table 5",
        "of 1, 2, 4, 8 and 16 groups, four rank SVO pairs best",
        tuple(Comparison("ours", f"ours/k{k}", "svo/overall") for k in (1, 2, 8, 16)),
        ("fixed",),
    ),
    Claim(
        "footnote 4",
        "two grouping blocks are worse than one",
        (Comparison("ours", "ours/two_blocks", "tiou"),),
        ("fixed",),
    ),
    Claim(
        "not in the paper",
        "the right images make units better than wrong ones",
        (Comparison("ours", "ours/shuffled_images", "tiou"),),
        ("fixed",),
    ),
)
"""Our own goals first, then the paper's in its order."""


class Verdict(NamedTuple):
    """A claim decided for a role. differences: of its comparisons, those that were measured."""

    claim: Claim
    role: str
    verdict: str
    differences: list[tuple[Comparison, Difference]]

    def sentence(self) -> str:
        """One line, with the figures that decide."""
        return f"{self.claim.place}, {self.role}: {self.claim.text}: {self.verdict} ({self.figures()})."

    def figures(self) -> str:
        """The differences that decide."""
        return "; ".join(
            f"{one.figure} of {one.better} less {one.worse} {apart.value:+.1f} "
            f"[{apart.ci95[0]:+.1f}, {apart.ci95[1]:+.1f}]"
            for one, apart in self.differences
        )

    def record(self) -> dict[str, Any]:
        """For JSON."""
        compared = [{**comparison._asdict(), **apart._asdict()} for comparison, apart in self.differences]
        return {
            "place": self.claim.place,
            "claim": self.claim.text,
            "row": self.role,
            "verdict": self.verdict,
            "differences": compared,
        }


def decide(results: Results) -> list[Verdict]:
    """Every claim, for each role that it is asked of."""
    return [_decide(claim, role, results) for claim in CLAIMS for role in claim.roles]


def _decide(claim: Claim, role: str, results: Results) -> Verdict:
    comparisons = [Comparison(_row(one.better, role), _row(one.worse, role), one.figure) for one in claim.comparisons]
    measured = [(one, results.difference(*one)) for one in comparisons]
    known = [(one, apart) for one, apart in measured if apart is not None]
    signs = [sign(apart) for _, apart in known]
    if any(s < 0 for s in signs):
        verdict = FAILS
    elif len(known) == len(measured) and all(s > 0 for s in signs):
        verdict = HOLDS
    else:
        verdict = OPEN
    return Verdict(claim, role, verdict, known)


def _row(name: str, role: str) -> str:
    """The row that a name of a comparison means for a role."""
    configuration, at, objects = role.partition("@")
    return name.replace("ours", configuration) + at + objects


def sign(apart: Difference) -> int:
    """1: larger, its interval above 0 and so in every seed. -1: smaller, in the same sense. 0: neither."""
    low, high = apart.ci95
    if low > 0 and min(apart.seeds) > 0:
        return 1
    return -1 if high < 0 and max(apart.seeds) < 0 else 0


def by_claim(verdicts: Sequence[Verdict]) -> list[tuple[Claim, dict[str, Verdict]]]:
    """Each claim of which something was measured, with its verdicts by role."""
    asked: dict[Claim, dict[str, Verdict]] = {}
    for verdict in verdicts:
        if verdict.differences:
            asked.setdefault(verdict.claim, {})[verdict.role] = verdict
    return list(asked.items())


def asked_of(verdicts: Sequence[Verdict]) -> list[str]:
    """The roles of which something was measured, in order."""
    return [role for role in SEEING if any(one.differences for one in verdicts if one.role == role)]


def tally(verdicts: Sequence[Verdict]) -> str:
    """How many of those that were measured ended how, in one line."""
    ended = Counter(verdict.verdict for verdict in verdicts if verdict.differences)
    return f"Of {ended.total()}, {ended[HOLDS]} hold, {ended[FAILS]} do not, {ended[OPEN]} are not decidable here."


def sentences(verdicts: Sequence[Verdict]) -> list[str]:
    """A line for each claim of which something was measured, and one for those of which nothing was."""
    asked = [verdict.sentence() for verdict in verdicts if verdict.differences]
    some = {claim for claim, _ in by_claim(verdicts)}
    unasked = dict.fromkeys(verdict.claim.text for verdict in verdicts if verdict.claim not in some)
    return asked + ([f"Not run: {'; '.join(unasked)}."] if unasked else [])
