"""Batches: what is in them, in which order, and that a run can start anywhere."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from textgroup.data.batches import bucket_ends, pad
from textgroup.data.captions import CaptionData
from textgroup.errors import InputError
from textgroup.text.tokenizer import CaptionTokenizer

WORDS = ["a", "red", "ring", "above", "two", "blue", "stars", "and", "one", "small", "fish"]
TOKENIZER = CaptionTokenizer.train([" ".join(WORDS)], 560)


def with_images(items: int = 20, captions: int = 3) -> CaptionData:
    """Item i has captions that start with its number, and the vector (i, i)."""
    texts = [[" ".join([str(i), *WORDS[: 1 + (i + c) % 9], str(c)]) for c in range(captions)] for i in range(items)]
    pooled = np.repeat(np.arange(items, dtype=np.float16)[:, None], 2, axis=1)
    return CaptionData.build(texts, TOKENIZER, pooled, np.arange(items))


def texts(data: CaptionData, step: int, size: int, seed: int = 0) -> list[str]:
    rows = [row[m].tolist() for ids, mask in data.batch(step, size, seed).chunks for row, m in zip(ids, mask)]
    return [TOKENIZER.decode(row) for row in rows]


def test_captions_and_images_stay_paired() -> None:
    data = with_images()
    batch = data.batch(3, 5, seed=1)
    assert batch.image is not None
    said = [int("".join(text.split(" a ")[0].split())) for text in texts(data, 3, 5, 1)]
    assert said == batch.image[:, 0].int().tolist()


def test_an_epoch_gives_every_image_once_and_all_captions_in_turn() -> None:
    data = with_images(items=20, captions=3)
    seen = []
    for epoch in range(3):
        epoch_texts = [t for step in range(4) for t in texts(data, 4 * epoch + step, 5)]
        assert len({t.split(" a ")[0] for t in epoch_texts}) == 20
        seen += epoch_texts
    assert len(set(seen)) == 60


def test_the_order_is_seeded_and_differs_between_epochs() -> None:
    data = with_images()
    assert texts(data, 2, 5, seed=7) == texts(data, 2, 5, seed=7)
    assert texts(data, 2, 5, seed=7) != texts(data, 2, 5, seed=8)
    assert set(texts(data, 0, 5)) != set(texts(data, 4, 5))


def test_a_batch_is_cut_by_length_so_that_little_is_padded() -> None:
    data = with_images(items=40)
    batch = data.batch(0, 40, seed=0)
    lengths = [int(n) for chunk in batch.chunks for n in chunk.mask.sum(dim=1)]
    assert lengths == sorted(lengths)
    assert batch.size == 40
    assert sum(chunk.mask.numel() for chunk in batch.chunks) < 40 * max(lengths)


@pytest.mark.parametrize("parts", [1, 2, 3, 9])
def test_no_other_cuts_pad_fewer_tokens(parts: int) -> None:
    random = np.random.default_rng(parts)
    for _ in range(20):
        lengths = np.sort(random.integers(3, 12, random.integers(1, 9)))

        def padded(ends: Sequence[int], lengths: np.ndarray = lengths) -> int:
            return sum(int(lengths[b - 1]) * (b - a) for a, b in pairwise([0, *ends]))

        inside = range(1, len(lengths))
        ways = [(*cut, len(lengths)) for n in range(parts) for cut in combinations(inside, n)]
        found = bucket_ends(lengths, parts)
        assert len(found) <= parts
        assert found[-1] == len(lengths)
        assert padded(found) == min(map(padded, ways))


def test_the_shares_of_all_processes_are_the_batch() -> None:
    data = with_images(items=40)
    whole = data.batch(1, 20, 0)
    shares = [data.batch(1, 20, 0, chunk=3, share=(r, 3)) for r in range(3)]
    assert [share.size for share in shares] == [7, 7, 6]
    assert [len(chunk.ids) for chunk in shares[0].chunks] == [3, 3, 1]
    assert whole.image is not None
    for share in shares:
        assert share.total == 20
        assert share.positions is not None
        assert torch.equal(share.image, whole.image[share.positions])  # type: ignore[arg-type]


def test_two_captions_an_image_are_different_ones_and_know_each_other() -> None:
    data = replace(with_images(items=20, captions=4), per_item=2)
    assert data.steps_per_epoch(10) == 4
    seen = []
    for step in range(8):
        batch, said = data.batch(step, 10, 0), texts(data, step, 10)
        assert batch.image is not None
        assert batch.pairs is not None
        assert sorted(batch.pairs.flatten().tolist()) == list(range(10))
        for first, second in batch.pairs.tolist():
            assert batch.image[first].tolist() == batch.image[second].tolist()
            assert said[first] != said[second]
        seen += said
    assert len(set(seen)) == 80, "two epochs give all four captions of each"


def test_the_shares_of_all_processes_name_pairs_of_the_whole_batch() -> None:
    data = replace(with_images(items=40), per_item=2)
    whole, share = data.batch(1, 20, 0), data.batch(1, 20, 0, share=(1, 3))
    assert torch.equal(whole.pairs, share.pairs)  # type: ignore[arg-type]


def test_a_share_of_the_captions_comes_with_objects_whatever_their_length_and_each_image_once() -> None:
    pooled = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float16)
    captions = [("a",) * 2 if i % 2 else ("a red ring and a blue star",) * 2 for i in range(20)]
    data = CaptionData.build(captions, TOKENIZER, pooled, range(20), objects=np.stack([pooled, pooled + 1], axis=1))
    data = replace(data, share=0.25, per_item=2)
    for step in range(4):
        batch = data.batch(step, 20, 0)
        assert batch.image is not None
        assert batch.objects is not None
        assert batch.with_objects is not None
        assert len(batch.objects) == 5
        assert torch.equal(batch.objects[:, 0].float(), batch.image[batch.with_objects])
        assert len(batch.image[batch.with_objects].unique(dim=0)) == 5, "no image twice"
        parts = list(batch.each_chunk())
        assert sum(len(part.objects) for part in parts if part.objects is not None) == 5
        for part in parts:
            assert part.image is not None
            assert part.objects is not None
            assert part.with_objects is not None
            assert torch.equal(part.objects[:, 0].float(), part.image[part.with_objects])
        shares = [data.batch(step, 20, 0, share=(rank, 2)) for rank in (0, 1)]
        assert sum(len(share.objects) for share in shares if share.objects is not None) == 5


def test_objects_come_with_their_captions_and_only_where_they_are_asked_for() -> None:
    data = with_images(items=40)
    assert data.batch(0, 20, 0).objects is None
    assert data.pooled is not None
    pooled = np.asarray(data.pooled, dtype=np.float32)
    data = replace(data, objects=np.stack([pooled, pooled + 1], axis=1))
    batch = data.batch(1, 20, 0, chunk=7)
    assert batch.image is not None
    assert batch.objects is not None
    assert torch.equal(batch.objects, torch.stack([batch.image, batch.image + 1], dim=1))
    assert [part.objects.shape[:2] for part in batch.each_chunk() if part.objects is not None] == [
        (7, 2),
        (7, 2),
        (6, 2),
    ]


def test_who_is_in_a_batch_has_nothing_to_do_with_length() -> None:
    """Negatives must not be sorted by length: the batch is drawn first and bucketed inside."""
    data = with_images(items=400)
    means = [np.mean([c.mask.sum(dim=1).float().mean() for c in data.batch(s, 100, 0).chunks]) for s in range(4)]
    assert max(means) - min(means) < 2


def test_without_images_every_caption_is_an_item() -> None:
    data = CaptionData.build([("one ring",), ("a fish", "two stars")], TOKENIZER)
    assert len(data) == 3
    assert data.batch(0, 3, 0).image is None
    assert sorted(texts(data, 0, 3)) == ["a fish", "one ring", "two stars"]


def test_fewer_items_than_a_batch_make_one_small_batch() -> None:
    data = with_images(items=3)
    assert data.steps_per_epoch(100) == 1
    assert data.batch(0, 100, 0).size == 3


def test_no_captions_is_an_error() -> None:
    with pytest.raises(InputError, match="no captions"):
        CaptionData.build([], TOKENIZER)


def test_padding_is_marked_by_the_mask_and_not_by_the_id() -> None:
    ids, mask = pad([[7, 0, 0], [7]])
    assert ids.tolist() == [[7, 0, 0], [7, 0, 0]]
    assert mask.tolist() == [[True] * 3, [True, False, False]]


def test_evaluation_chunks_hold_every_caption_once() -> None:
    data = with_images()
    numbers = np.concatenate([n for _, n in data.chunks(size=7)])
    assert sorted(numbers.tolist()) == list(range(60))
    for chunk, rows in data.chunks(size=7):
        for ids, mask, n in zip(chunk.ids, chunk.mask, rows):
            assert ids[mask].tolist() == data.caption(n).tolist()


def test_a_batch_reads_only_its_rows_of_the_store(tmp_path: Path) -> None:
    """A store of many gigabytes must not be read whole: rows outside the batch are never touched."""
    values = np.arange(40, dtype=np.float16).reshape(20, 2)

    class Watched(np.ndarray):
        touched: list[int] = []  # noqa: RUF012

        def __getitem__(self, rows):  # type: ignore[no-untyped-def]
            Watched.touched += np.asarray(rows).reshape(-1).tolist()
            return np.asarray(self).view(np.ndarray)[rows]

    data = with_images()
    watched = CaptionData(data.ids, data.starts, data.first, values.view(Watched), data.rows)
    image = watched.batch(0, 4, 0).image
    assert image is not None
    assert image.dtype == torch.float32
    assert len(Watched.touched) == 4
