"""How a router comes about: teachers co-train and cut captions together, and a router learns from what they cut. Then
another learns from what the teachers and the first router cut together.

The teachers know each word by one number and look at its surroundings (`cotraining.py`); the router reads both at once.
It learns from their cuts of whole captions, and must find the same units in captions of which something was taken away
(`corruption.py`). No phrase, list or parser is used.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import chain, pairwise
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config.run import UnitsConfig
from textgroup.data.batches import bucket_ends
from textgroup.data.captions import CaptionData
from textgroup.model.grouping.router.committee import Committee
from textgroup.model.grouping.router.corruption import Labelled, corrupt
from textgroup.model.grouping.router.cotraining import AT_ONCE, BATCH, DECAY, co_train, rate
from textgroup.model.grouping.router.places import find_places
from textgroup.model.grouping.router.router import Router
from textgroup.report.terminal import counted
from textgroup.text.tokenizer import CaptionTokenizer

RATE, HIDE, BUCKETS = 3e-3, 0.15, 4
"""Peak learning rate; share of tokens that are hidden; chunks of a batch by length."""
ROUTERS = 2
"""Routers that learn one after the other; with the teachers, each cuts the captions that the next one learns from."""
LABELS_SEED = 77
"""Added to the seed for the captions that teachers cut: other ones than those they learned from first."""


def learn(
    router: Router,
    captions: CaptionData,
    tokenizer: CaptionTokenizer,
    config: UnitsConfig,
    seed: int,
    translations: Sequence[CaptionData] = (),
) -> None:
    """Teach a fresh router to cut captions as these are cut. Minutes on one core, whatever the number of captions.

    A first router learns from the teachers, and this one from what they and the first cut together.

    translations: captions in one language, and in others, which are among `captions` (`translated.py`).
    """
    router.know(tokenizer)
    captions = replace(captions, pooled=None, rows=None, objects=None, per_item=1)
    teachers = [
        co_train(captions, tokenizer, config, seed + n, f"steps of teacher {n + 1} of {config.teachers}")
        for n in range(config.teachers)
    ]
    committee, ends_word = Committee(teachers), np.array(tokenizer.facts()["ends_word"])
    for n, student in enumerate([*(deepcopy(router) for _ in range(ROUTERS - 1)), router]):
        if translations:
            committee.hear(translations, ends_word)
        labelled = label(committee, captions, config.captions, seed + n)
        imitate(student, labelled, tokenizer, config.steps, seed + n, f"steps of router {n + 1} of {ROUTERS}")
        committee.router = student


def label(committee: Committee, captions: CaptionData, number: int, seed: int) -> list[list[Labelled]]:
    """About `number` captions as a committee cuts them: lists of units."""
    steps = min(max(1, number // AT_ONCE), captions.steps_per_epoch(AT_ONCE))
    labelled: list[list[Labelled]] = []
    for step in counted(steps, "thousand captions cut"):
        for ids, mask in captions.batch(step, AT_ONCE, seed + LABELS_SEED).chunks:
            places, begins, final, names = committee.cut(ids, mask)
            labelled += _units(ids, begins, final, names, places.alone)
    return labelled


def _units(ids: Tensor, begins: Tensor, final: Tensor, names: Tensor, alone: Tensor) -> list[list[Labelled]]:
    """The units of each caption from tensors (B, M)."""
    rows, columns = (x.tolist() for x in begins.nonzero(as_tuple=True))
    last, named, marks = (x[begins].tolist() for x in (final, names, alone))
    tokens = ids.tolist()
    units: list[list[Labelled]] = [[] for _ in tokens]
    for row, first, final_token, name, mark in zip(rows, columns, last, named, marks):
        units[row].append(Labelled(tokens[row][first : final_token + 1], name, mark))
    return [caption for caption in units if caption]


def imitate(
    router: Router,
    labelled: list[list[Labelled]],
    tokenizer: CaptionTokenizer,
    steps: int,
    seed: int,
    task: str,
) -> None:
    """Train a fresh router on captions that are cut already, whole and corrupted. task: what the progress calls it."""
    torch.manual_seed(seed)
    random, ends = Random(seed), tokenizer.facts()["ends_word"]
    comma = tokenizer.ids([","])[0][1]
    nn.init.normal_(router.token.weight, std=0.1)
    optimizer = torch.optim.AdamW(router.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    for _ in counted(steps, task):
        drawn = [random.randrange(len(labelled)) for _ in range(BATCH + 1)]
        units = [corrupt(labelled[a], labelled[b], comma, ends, random) for a, b in pairwise(drawn)]
        units.sort(key=lambda caption: sum(len(unit.ids) for unit in caption))
        lengths = np.array([sum(len(unit.ids) for unit in caption) for caption in units])
        cuts = [0, *bucket_ends(lengths, BUCKETS)]
        total = torch.stack([_sums(router, units[a:b], tokenizer) for a, b in pairwise(cuts)]).sum(dim=0)
        optimizer.zero_grad()
        (total[:, 0] / total[:, 1].clamp_min(1)).sum().backward()
        nn.utils.clip_grad_norm_(router.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    router.eval()


def _sums(router: Router, captions: Sequence[Sequence[Labelled]], tokenizer: CaptionTokenizer) -> Tensor:
    """Cross-entropy in nats and count, (2, 2): of where units begin, and of which tokens lie in one that names."""
    length = 2 + max(sum(len(unit.ids) for unit in caption) for caption in captions)
    rows = np.zeros((4, len(captions), length), dtype=np.int64)  # ids, mask, begins, names
    for n, caption in enumerate(captions):
        ids = [tokenizer.start, *chain.from_iterable(unit.ids for unit in caption), tokenizer.end]
        begins = [x for unit in caption for x in (1, *[0] * (len(unit.ids) - 1))]
        names = [x for unit in caption for x in [int(unit.names)] * len(unit.ids)]
        for row, values in zip(rows[:, n], (ids, [1] * len(ids), [0, *begins], [0, *names])):
            row[: len(values)] = values
    ids, mask, begins, names = torch.from_numpy(rows)
    mask = mask.bool()
    places = find_places(ids, mask, router.ends_word, router.goes_on, router.alone)
    hidden = (torch.rand(mask.shape) < HIDE) & places.inside
    logits = router.token_logits(ids, mask & ~hidden)
    sums = []
    for logit, yes, where in zip(logits, (begins, names), (places.undecided, places.inside & ~places.alone)):
        total = F.binary_cross_entropy_with_logits(logit[where], yes[where].float(), reduction="sum")
        sums.append(torch.stack([total, where.sum().to(total)]))
    return torch.stack(sums)
