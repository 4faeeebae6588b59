"""Generated scenes as data sets: captions with the oracle's features, and held-out scenes with gold phrases."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from textgroup.data.batches import pad
from textgroup.data.captions import CaptionData
from textgroup.data.scenes.scene import Scene, features, scenes
from textgroup.evaluation.phrases.tiou import PhraseScore, gold_tokens, score_captions
from textgroup.evaluation.segmenters.cuts import equal_split
from textgroup.model.grouping.contract import TextGroups
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer, Tokens
from textgroup.training.build import Inputs
from textgroup.vision.encoders.oracle import encode_scenes

TRAIN_SCENES, HELD_OUT_SCENES = 12_000, 400
VOCABULARY, TOKENIZER_SCENES = 1_024, 10_000
"""Token ids, and the scenes whose captions they are learned on."""
ORACLE = {"encoder": "oracle of the generated scenes", "weights": "", "transform": {"resize": 224}}
"""Identity of the encoder that made the features."""


@dataclass(frozen=True)
class HeldOut:
    """Scenes that no model was trained on, with the tokens of their captions and the gold phrase of each token."""

    scenes: list[Scene]
    tokens: list[Tokens]
    gold: list[list[int]]

    @classmethod
    def make(cls, seed: int, count: int, tokenizer: CaptionTokenizer) -> "HeldOut":
        """The first `count` scenes of the test split."""
        drawn = list(islice(scenes(seed, "test"), count))
        tokens = tokenizer.encode_batch([scene.caption for scene in drawn])
        gold = [
            gold_tokens(t.spans[1:-1], [(p.start, p.end) for p in scene.phrases]) for scene, t in zip(drawn, tokens)
        ]
        return cls(drawn, tokens, gold)

    def owners(self, model: TextGroupModel) -> list[list[int]]:
        """The group of each token of each caption, start and end included."""
        with torch.inference_mode():
            owners = encode_tokens(model, self.tokens).owner.tolist()
        return [row[: len(t.ids)] for row, t in zip(owners, self.tokens)]

    def score(self, model: TextGroupModel) -> PhraseScore:
        """Agreement of a model's units with the phrases."""
        return score_captions((owners[1:-1] for owners in self.owners(model)), self.gold)

    def score_equal(self, pieces: int) -> PhraseScore:
        """`score` of captions cut into equal pieces."""
        return score_captions((equal_split(len(gold), pieces) for gold in self.gold), self.gold)


def scene_inputs(seed: int, train: int = TRAIN_SCENES, held_out: int = HELD_OUT_SCENES) -> tuple[Inputs, HeldOut]:
    """The inputs of a run, and the held-out scenes that measure it. train, held_out: numbers of scenes."""
    drawn = list(islice(scenes(seed), train))
    tokenizer = CaptionTokenizer.train((scene.caption for scene in drawn[:TOKENIZER_SCENES]), VOCABULARY)
    return Inputs(tokenizer, scene_captions(drawn, tokenizer), None, ORACLE), HeldOut.make(seed, held_out, tokenizer)


def scene_captions(drawn: Sequence[Scene], tokenizer: CaptionTokenizer) -> CaptionData:
    """A data set of one caption a scene, with the oracle's pooled vectors and objects."""
    objects = encode_scenes(drawn).vectors
    assert objects is not None, "the oracle always gives them"
    captions = [(scene.caption,) for scene in drawn]
    return CaptionData.build(captions, tokenizer, pooled_features(drawn), np.arange(len(drawn)), objects.numpy())


def pooled_features(drawn: Sequence[Scene]) -> np.ndarray:
    """The oracle's image vectors (scenes, D): the mean over each scene's objects."""
    return np.stack([features(scene).mean(axis=0) for scene in drawn])


@torch.inference_mode()
def foil_accuracy(model: TextGroupModel, held_out: HeldOut, tokenizer: CaptionTokenizer) -> dict[str, float]:
    """Per cent of foils that the true caption beats, by kind; a tie is half a point."""
    image = model.embed_image(torch.from_numpy(pooled_features(held_out.scenes)))
    true = model.embed_text(encode_tokens(model, held_out.tokens))
    accuracy = {}
    for kind in ("noun", "attribute", "relation"):
        pairs = [(i, foil.caption) for i, s in enumerate(held_out.scenes) for foil in s.foils if foil.kind == kind]
        rows = torch.tensor([i for i, _ in pairs])
        false = model.embed_text(encode_tokens(model, tokenizer.encode_batch([caption for _, caption in pairs])))
        margin = ((true[rows] - false) * image[rows]).sum(dim=1)
        accuracy[kind] = 100 * float(np.mean((0.5 + 0.5 * margin.sign()).tolist()))
    return accuracy


def encode_tokens(model: TextGroupModel, tokens: Sequence[Tokens]) -> TextGroups:
    """The groups of captions that are tokenised already."""
    chunk = pad([t.ids for t in tokens])
    return model.encode(chunk.ids, chunk.mask)
