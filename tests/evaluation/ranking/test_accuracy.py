"""Pairwise ranking and the official scores, on tables that can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgroup.data.probes.rows import Pair, Probe
from textgroup.evaluation.ranking.accuracy import (
    Figure,
    Scores,
    categories,
    fit_threshold,
    noun_understanding,
    pairwise,
    points,
    svo_match,
    winoground,
)


def row(number: int, category: str, image: str = "", worse_image: str = "") -> Probe:
    better = Pair(image or f"image {number}", f"caption {number}")
    return Probe(str(number), category, better, Pair(worse_image or better.image, f"worse {number}"))


def by_category(figures: list[Figure]) -> dict[str, float]:
    return {figure.category: figure.score for figure in figures}


def test_a_tie_is_half_a_point_and_is_counted() -> None:
    rows = [row(i, "verb") for i in range(4)]
    scores = Scores(np.array([0.5, 0.5, 0.2, 0.9]), np.array([0.1, 0.5, 0.3, 0.8]))
    (found,) = pairwise("m", "svo", rows, scores)
    assert (found.score, found.ties, found.rows, found.images) == (62.5, 1, 4, 4)


def test_overall_counts_every_row_alike_and_not_every_category() -> None:
    rows = [row(0, "verb"), row(1, "verb"), row(2, "verb"), row(3, "subject")]
    scores = Scores(np.array([1.0, 1, 1, 0]), np.array([0.0, 0, 0, 1]))
    found = pairwise("m", "svo", rows, scores)
    assert by_category(found) == {"verb": 100, "subject": 0, "overall": 75}
    assert list(categories(rows)) == ["verb", "subject", "overall"]
    assert list(categories(rows[:3])) == ["verb"], "one category is its own overall"


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=30))
def test_the_model_that_ranks_the_other_way_gets_the_rest(pairs: list[tuple[int, int]]) -> None:
    better, worse = np.array(pairs, dtype=float).T
    there, back = points(Scores(better, worse)), points(Scores(worse, better))
    assert (there + back == 1).all()


def test_the_interval_is_over_images_and_not_over_rows() -> None:
    right = np.tile([1.0, 0.0], 50)
    scores = Scores(right, 1 - right)
    alone = [row(i, "x") for i in range(100)]
    two_images = [row(i, "x", image="right" if i % 2 == 0 else "wrong") for i in range(100)]
    (wide,) = pairwise("m", "b", two_images, scores)
    (narrow,) = pairwise("m", "b", alone, scores)
    assert wide.score == narrow.score == 50
    assert wide.ci95 == (0, 100)
    assert 35 < narrow.ci95[0] < 45 < 55 < narrow.ci95[1] < 65
    assert (wide.images, narrow.images) == (2, 100)


def test_two_models_are_compared_on_the_same_draws() -> None:
    rows = [row(i, "x") for i in range(50)]
    right = np.arange(50.0) % 2
    (one,) = pairwise("one", "b", rows, Scores(right, 1 - right))
    (same,) = pairwise("same", "b", rows, Scores(right * 2, 2 - right * 2))
    (all_right,) = pairwise("all", "b", rows, Scores(np.ones(50), np.zeros(50)))
    assert same.difference(one) == (0, (0, 0))
    value, (low, high) = all_right.difference(one)
    assert value == 50
    assert 30 < low < 50 < high < 70


def test_svo_match_counts_a_pair_once_and_weighs_both_kinds_alike() -> None:
    """Sentence s with positive image p and negatives a, b, c: the positive pair stands in three rows.

    score        p .9 | a .1   b .8   c .2      threshold .5
    matched      yes  | no     yes   no         positive 1/1, negative 2/3: (100 + 66.7) / 2
    """
    rows = [Probe(n, "verb", Pair("p", "s"), Pair(n, "s")) for n in "abc"]
    scores = Scores(np.array([0.9, 0.9, 0.9]), np.array([0.1, 0.8, 0.2]))
    (found,) = svo_match("m", rows, scores, 0.5)
    assert found.measure == "match"
    assert found.score == pytest.approx(100 * (1 + 2 / 3) / 2)
    again = svo_match("m", [*rows, rows[1]], Scores(*(np.append(s, s[1]) for s in scores)), 0.5)[0]
    assert again.score == found.score


def test_svo_match_overall_counts_a_pair_once_over_all_types() -> None:
    rows = [
        Probe("1", "verb", Pair("p", "s"), Pair("a", "s")),
        Probe("2", "object", Pair("p", "s"), Pair("b", "s")),
        Probe("3", "object", Pair("q", "t"), Pair("b", "t")),
    ]
    scores = Scores(np.array([0.9, 0.9, 0.1]), np.array([0.1, 0.1, 0.1]))
    found = by_category(svo_match("m", rows, scores, 0.5))
    assert found == {"verb": 100, "object": 75, "overall": 75}  # overall: 1 of 2 positive pairs, 3 of 3 negative


def test_a_threshold_parts_two_sets_that_can_be_parted() -> None:
    threshold = fit_threshold(np.array([0.7, 0.8, 0.9]), np.array([0.1, 0.2, 0.3]))
    assert threshold == pytest.approx(0.5)


def test_a_threshold_weighs_both_sets_alike_whatever_their_sizes() -> None:
    matched, mismatched = np.array([0.3, 0.9]), np.array([0.4] + [0.1] * 99)
    # a cut below .3 gets 2/2 and 99/100; one above .4 gets 1/2 and 100/100
    assert 0.1 < fit_threshold(matched, mismatched) < 0.3


def test_a_threshold_of_one_score_is_that_score() -> None:
    assert fit_threshold(np.array([0.5]), np.array([0.5])) == 0.5


def winoground_rows(example: int | str) -> list[Probe]:
    ids = ("text/0", "image/0", "text/1", "image/1")
    return [Probe(f"{example}/{i}", i.split("/")[0], Pair(f"{example}{i[-1]}", "c"), Pair("x", "d")) for i in ids]


def test_winoground_wants_both_halves_and_takes_a_tie_for_wrong() -> None:
    rows = [*winoground_rows(0), *winoground_rows(1), *winoground_rows(2)]
    better = np.array([1.0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0.0, 1])
    worse = np.array([0.0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0.0, 0])
    found = {figure.measure: figure for figure in winoground("m", rows, Scores(better, worse))}
    # example 0 all right; 1 fails an image question; 2 ties in a text question
    assert found["text"].score == pytest.approx(200 / 3)
    assert found["image"].score == pytest.approx(200 / 3)
    assert found["group"].score == pytest.approx(100 / 3)
    assert found["group"].rows == 3
    assert found["group"].ties == 1


def test_an_example_of_winoground_may_have_slashes_in_its_id() -> None:
    rows = [*winoground_rows("a/b"), *winoground_rows("a/c")]
    found = winoground("m", rows, Scores(np.array([1.0] * 7 + [0.0]), np.full(8, 0.5)))
    assert [(figure.score, figure.rows) for figure in found] == [(100, 2), (50, 2), (50, 2)]


def test_an_example_of_winoground_that_lacks_a_row_counts_nowhere() -> None:
    rows = [*winoground_rows(0), *winoground_rows(1)[:3]]
    found = winoground("m", rows, Scores(np.ones(7), np.zeros(7)))
    assert {figure.rows for figure in found} == {1}
    assert winoground("m", rows[4:], Scores(np.ones(3), np.zeros(3))) == []


def test_noun_understanding_is_the_plain_mean_of_three() -> None:
    svo = [row(0, "subject"), row(1, "object"), row(2, "object"), row(3, "verb")]
    foil = [row(i, "foil") for i in range(4, 8)]
    found = noun_understanding(
        "m",
        (svo, Scores(np.array([1.0, 1, 0, 0]), np.array([0.0, 0, 1, 1]))),
        (foil, Scores(np.array([1.0, 0, 0, 0]), np.array([0.0, 1, 1, 0]))),
    )
    # subject 100, object 50, foil (1 + .5) / 4 = 37.5; the verb does not count
    assert found.score == pytest.approx((100 + 50 + 37.5) / 3)
    assert (found.rows, found.ties) == (7, 1)
    low, high = found.ci95
    assert low < found.score < high


def test_the_papers_noun_understanding_follows_from_its_own_rows() -> None:
    """Table 4: subjects 80.3, objects 90.4, FOIL 81.68, mean 84.12 (as printed)."""
    hundred = {"subject": 803, "object": 904}
    svo, scores = [], []
    for category, right in hundred.items():
        svo += [row(i, category) for i in range(1000)]
        scores += [1.0] * right + [-1.0] * (1000 - right)
    foil = [row(i, "foil") for i in range(10_000)]
    foil_scores = np.array([1.0] * 8168 + [-1.0] * 1832)
    found = noun_understanding(
        "m", (svo, Scores(np.array(scores), np.zeros(2000))), (foil, Scores(foil_scores, np.zeros(10_000)))
    )
    assert found.score == pytest.approx(84.12, abs=0.01)
