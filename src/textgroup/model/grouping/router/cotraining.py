"""Co-training: two views of every boundary teach each other, from captions alone.

Each view can judge alone (Blum & Mitchell, 1998). The word view is a number a token type. It starts from Harris's
statistic of the captions (1955). The place view reads the tokens around a place, but not the one that stands there; it
learns to predict the word view. Then each word type gets the mean of what the place view says where it stands. Each
corrects errors of the other; no boundary is ever shown.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config.run import UnitsConfig
from textgroup.data.captions import CaptionData
from textgroup.data.statistics.entropy import begin_logits, binds_next, called_for
from textgroup.model.grouping.router.places import Places, Spans, find_places, find_spans
from textgroup.report.terminal import counted
from textgroup.text.tokenizer import CaptionTokenizer

WIDTH, HIDDEN, AROUND = 32, 64, 4
"""Width of the token embeddings; of what is made of either side; tokens on either side that the place view reads."""
BATCH, RATE, DECAY, WARM, HIDE = 256, 1e-3, 0.05, 0.1, 0.3
"""Captions of a step; peak learning rate; weight decay; share of the steps with a rising rate; share of tokens that are
hidden from the place view."""
REFITS = (0.34, 0.67)
"""When the facts about words are taken anew, as shares of the steps; and once more at the end."""
CAPTIONS, AT_ONCE, RARE = 24_000, 1_000, 2.0
"""Captions over which facts are taken; read at once; pseudo-count that draws facts about rare types to what they are if
nothing is known."""
CLOSES, FEW = 0.65, 10
"""A type closes its unit if closing words are where it stands this often, as a share of how often they are where
closing words stand. So many more units are counted for each place and each type, so that rare types close nothing.
Chosen on the first 500 captions of Flickr30k Entities val, and the same for every language (docs/experiments.md,
6.1)."""


class Views(NamedTuple):
    """What a teacher gives for captions: logits (B, M).

    boundary: a unit begins with this token, by both views. place: by the place view alone. left, right: states (B, M,
    H) of what stands before and after each token.
    """

    boundary: Tensor
    place: Tensor
    left: Tensor
    right: Tensor


class Teacher(nn.Module):
    """The place views, and facts about each token type, (V,).

    word: a unit begins with it. names: a unit that ends with it names something. closes, called, finishes: see
    `revision.Links`. ends_word, goes_on, alone: see `places.find_places`; a word that binds the next one does not end
    there: "group of" is one word.
    """

    word: Tensor
    names: Tensor
    closes: Tensor
    called: Tensor
    finishes: Tensor
    ends_word: Tensor
    goes_on: Tensor
    alone: Tensor

    def __init__(self, captions: CaptionData, tokenizer: CaptionTokenizer) -> None:
        super().__init__()
        vocabulary = len(tokenizer)
        self.token = nn.Embedding(vocabulary, WIDTH)
        nn.init.normal_(self.token.weight, std=0.1)
        self.left, self.right = (nn.Linear(AROUND * WIDTH, HIDDEN) for _ in range(2))
        self.place, self.names_place = (
            nn.Sequential(nn.LayerNorm(2 * HIDDEN), nn.Linear(2 * HIDDEN, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1))
            for _ in range(2)
        )
        facts = {name: np.array(fact) for name, fact in tokenizer.facts().items()}
        texts = [tokenizer.decode([i]) for i in range(vocabulary)]
        binds = binds_next(captions, texts) & ~facts["alone"]
        binds[tokenizer.start :] = False
        facts["ends_word"] &= ~binds
        for name in ("ends_word", "goes_on", "alone"):
            self.register_buffer(name, torch.from_numpy(facts[name]))
        self.register_buffer("word", torch.from_numpy(begin_logits(captions, facts["ends_word"])))
        for name, unknown in (("names", 0.0), ("closes", 0.0), ("called", 0.0), ("finishes", 0.5)):
            self.register_buffer(name, torch.full((vocabulary,), unknown))

    def places(self, ids: Tensor, mask: Tensor) -> Places:
        """See `places.find_places`."""
        return find_places(ids, mask, self.ends_word, self.goes_on, self.alone)

    def forward(self, ids: Tensor, mask: Tensor) -> Views:
        """ids and mask (B, M); the place view reads nothing of a token that the mask hides."""
        x = F.pad(self.token(ids) * mask[:, :, None], (0, 0, AROUND, AROUND))  # (B, M + 2 AROUND, D)
        length, steps = ids.shape[1], range(1, AROUND + 1)
        before = torch.cat([x[:, AROUND - n : AROUND - n + length] for n in steps], dim=2)
        after = torch.cat([x[:, AROUND + n : AROUND + n + length] for n in steps], dim=2)
        left, right = F.gelu(self.left(before)), F.gelu(self.right(after))
        place = self.place(torch.cat([left, right], dim=2)).squeeze(2)
        return Views(self.word[ids] + place, place, left, right)

    def naming(self, views: Views, spans: Spans) -> Tensor:
        """(B, M), the naming logit of each token's unit, judged by what stands before and after the unit."""

        def at(states: Tensor, index: Tensor) -> Tensor:
            return states.gather(1, index[:, :, None].expand(-1, -1, states.shape[2]))

        around = torch.cat([at(views.left, spans.first), at(views.right, spans.final)], dim=2)
        return self.names_place(around).squeeze(2)


def co_train(captions: CaptionData, tokenizer: CaptionTokenizer, config: UnitsConfig, seed: int, label: str) -> Teacher:
    """Two views that agree, after `config.teacher_steps` steps."""
    torch.manual_seed(seed)
    teacher = Teacher(captions, tokenizer)
    steps = config.teacher_steps
    refits = {round(share * steps) for share in REFITS}
    optimizer = torch.optim.AdamW(teacher.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    for step in counted(steps, label):
        if step in refits:
            refit(teacher, captions, seed)
        losses = [_sums(teacher, *chunk) for chunk in captions.batch(step, BATCH, seed).chunks]
        total = torch.stack(losses).sum(dim=0)  # (2, 2)
        optimizer.zero_grad()
        (total[:, 0] / total[:, 1].clamp_min(1)).sum().backward()
        nn.utils.clip_grad_norm_(teacher.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    refit(teacher, captions, seed)
    set_called(teacher, captions, tokenizer)
    return teacher.eval()


def rate(step: int, steps: int) -> float:
    """The learning rate at a step, as a share of its peak: a linear rise, then a cosine."""
    return float(min(1.0, (step + 1) / max(1.0, WARM * steps)) * (0.52 + 0.48 * np.cos(np.pi * step / steps)))


def _sums(teacher: Teacher, ids: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy in nats and count, (2, 2): of the place view against the word view, and of naming.

    Naming learns which places hold units of several words: what names something can be said in several words, and a
    bare noun stands where such units stand. It sees no positions, or it would count the unit's words.
    """
    places = teacher.places(ids, mask)
    hidden = (torch.rand(mask.shape) < HIDE) & places.inside
    views = teacher(ids, mask & ~hidden)
    begins = cut(teacher.closes, ids, views.boundary.detach(), places)
    spans = find_spans(begins, places)
    undecided, units = places.undecided, begins & ~places.alone
    return torch.stack(
        [
            _cross_entropy(views.place[undecided], teacher.word[ids][undecided] > 0),
            _cross_entropy(teacher.naming(views, spans)[units], spans.several[units]),
        ]
    )


def _cross_entropy(logits: Tensor, yes: Tensor) -> Tensor:
    """Sum and number, (2,)."""
    total = F.binary_cross_entropy_with_logits(logits, yes.to(logits), reduction="sum")
    return torch.stack([total, total.new_tensor(len(logits))])


@torch.no_grad()
def cut(closes: Tensor, ids: Tensor, boundary: Tensor, places: Places) -> Tensor:
    """Where units begin (B, M): where they must, where the logit is above 0, and after a word that closes its unit and
    has so far been alone in it. closes: (V,), see `Teacher`.

    So "with books" is cut as "with a book" is, although nothing about "books" says that a unit begins. What begins for
    that reason alone closes nothing itself: of "mit der Jacke", "der" does not.
    """
    probable = places.must | places.undecided & (boundary > 0)
    closed = F.pad(closes[ids][:, :-1] > 0, (1, 0)) & places.words
    alone = torch.zeros_like(probable[:, 0])  # (B,), the unit so far is one word, and began by itself
    columns = []
    for likely, ends, starts in zip(probable.unbind(1), closed.unbind(1), places.words.unbind(1)):
        columns.append(likely | alone & ends)
        alone = likely | alone & ~starts
    return torch.stack(columns, dim=1)


@torch.no_grad()
def refit(teacher: Teacher, captions: CaptionData, seed: int) -> None:
    """Take the facts about word types anew from the place views, over some of the captions.

    `word`: the mean boundary logit of the place view where the type stands. Then, with units cut by both views and by
    the `closes` so far, so that one closing word can make others, `closes`: whether units that begin with the word
    stand where closing words do, which are alone in their unit before a unit of several words. So "en" of "en robe"
    closes its unit, because it follows what "dans" of "dans une robe" does. Then, with units cut anew, `names`: the
    mean naming logit of the place view over the units that end with the word, and `finishes`. A type that does not
    occur keeps its `word`, `closes` and `names`; of one that is in no unit of several words, `finishes` is 1/2.
    """
    seen = list(_chunks(captions, seed))
    types, values = [], []
    for ids, mask in seen:
        undecided = teacher.places(ids, mask).undecided
        types.append(ids[undecided])
        values.append(teacher(ids, mask).place[undecided])
    _set_means(teacher.word, types, values)
    types, before, closed = [], [], []
    for ids, mask in seen:
        places = teacher.places(ids, mask)
        spans = find_spans(cut(teacher.closes, ids, teacher(ids, mask).boundary, places), places)
        in_first_word = (places.number == places.number.gather(1, spans.first)) & places.inside & ~places.alone
        ends_first_word = in_first_word & teacher.ends_word[ids]
        types.append(ids[ends_first_word])
        before.append(ids.gather(1, (spans.first - 1).clamp_min(0))[ends_first_word])
        closed.append((F.pad(spans.several[:, 1:], (0, 1)) & ~spans.several)[ends_first_word])
    _set_closes(teacher.closes, torch.cat(types), torch.cat(before), torch.cat(closed))
    types, values, of_several, finish = [], [], [], []
    for ids, mask in seen:
        places, views = teacher.places(ids, mask), teacher(ids, mask)
        spans = find_spans(cut(teacher.closes, ids, views.boundary, places), places)
        last = places.inside & (spans.final == torch.arange(ids.shape[1]))
        types.append(ids[last])
        values.append(teacher.naming(views, spans)[last])
        several = spans.several & places.inside
        of_several.append(ids[several])
        finish.append(last[several].float())
    _set_means(teacher.names, types, values)
    total, count = _totals(teacher.finishes, of_several, finish)
    teacher.finishes.copy_((total + RARE) / (count + 2 * RARE))


def set_called(teacher: Teacher, captions: CaptionData, tokenizer: CaptionTokenizer) -> None:
    """Set how strongly each word is called for by words that end what names something."""
    # Not the teacher's: there a word that binds the next one ends no word, and "group" calls for "of".
    ends_word = np.array(tokenizer.facts()["ends_word"])
    texts = [tokenizer.decode([i]) for i in range(len(tokenizer))]
    called = called_for(captions, texts, ends_word & (teacher.names > 0).numpy())
    teacher.called.copy_(torch.from_numpy(called * ends_word))  # a piece of a longer word is no word


def _chunks(captions: CaptionData, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Token ids and masks (B, M) of some captions."""
    for step in range(min(CAPTIONS // AT_ONCE, captions.steps_per_epoch(AT_ONCE))):
        yield from captions.batch(step, AT_ONCE, seed).chunks


def _set_means(logits: Tensor, types: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Set the logit of each type (V,) that occurs to the mean of its values, drawn to 0 where there are few."""
    total, count = _totals(logits, types, values)
    logits.copy_(torch.where(count > 0, total / (count + RARE), logits))


def _set_closes(closes: Tensor, types: Tensor, before: Tensor, closed: Tensor) -> None:
    """Set, for each type (V,) that begins units, how often closing words are where it stands, less `CLOSES` times how
    often they are where closing words stand. Where a unit stands is told by the token before it.

    All (N,), of some units. types: the one that ends the first word. before: the token before the unit. closed: whether
    the unit is a closing word.
    """
    overall = closed.float().mean()
    holds, count = _totals(closes, [before], [closed.float()])
    here = ((holds + FEW * overall) / (count + FEW))[before]  # (N,)
    least = CLOSES * here[closed].sum() / closed.sum().clamp_min(1)
    holds, count = _totals(closes, [types], [here])
    closes.copy_(torch.where(count > 0, holds / (count + FEW) - least, closes))


def _totals(like: Tensor, types: Sequence[Tensor], values: Sequence[Tensor]) -> list[Tensor]:
    """Sum of the values of each type, and their number; both (V,)."""
    of, x = torch.cat(list(types)), torch.cat(list(values))
    return [torch.zeros_like(like).index_add_(0, of, y) for y in (x, torch.ones_like(x))]
