"""Which tokens of another model's tokenizer a unit has: tokenizers of every usual kind, built here."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

import textgroup
from textgroup import Unit
from textgroup.integrations.tokens import token_indices

CAPTIONS = [
    "A man in a blue hat holds a flag.",
    "Two dogs, wearing yellow raincoats, jump over a puddle!",
    "  a café's   neon sign \U0001f468\u200d\U0001f469\u200d\U0001f467 at the bus-stop",
    "A man and a man",
]


def byte_level() -> Tokenizer:
    """As GPT-2 and RoBERTa: a token has the space before it."""
    made = Tokenizer(models.BPE(unk_token=None))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    train(made, trainers.BpeTrainer(vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    made.post_processor = processors.RobertaProcessing(
        ("<eos>", made.token_to_id("<eos>")), ("<bos>", made.token_to_id("<bos>")), trim_offsets=False
    )
    return made


def clip() -> Tokenizer:
    """As CLIP's: lower case, white space collapsed, a word's end in its last token."""
    made = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<eos>"))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    train(
        made,
        trainers.BpeTrainer(
            vocab_size=700, end_of_word_suffix="</w>", initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    made.post_processor = frame(made)
    return made


def word_piece() -> Tokenizer:
    """As BERT's."""
    made = Tokenizer(models.WordPiece(unk_token="<unk>"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    train(made, trainers.WordPieceTrainer(vocab_size=120))
    made.post_processor = frame(made)
    return made


def unigram() -> Tokenizer:
    """As T5's: an end of text alone, and a mark for the space before a word."""
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    train(made, trainers.UnigramTrainer(vocab_size=80, unk_token="<unk>"))
    made.post_processor = processors.TemplateProcessing(
        "$A <eos>", special_tokens=[("<eos>", made.token_to_id("<eos>"))]
    )
    return made


def train(made: Tokenizer, trainer: Any) -> None:
    trainer.special_tokens = ["<pad>", "<bos>", "<eos>", "<unk>"]
    trainer.show_progress = False
    made.train_from_iterator(CAPTIONS, trainer)


def frame(made: Tokenizer) -> processors.TemplateProcessing:
    ends = [(name, made.token_to_id(name)) for name in ("<bos>", "<eos>")]
    return processors.TemplateProcessing("<bos> $A <eos>", special_tokens=ends)


KINDS: dict[str, Callable[[], Tokenizer]] = {f.__name__: f for f in (byte_level, clip, word_piece, unigram)}


@cache
def tokenizer(kind: str) -> Any:
    return PreTrainedTokenizerFast(
        tokenizer_object=KINDS[kind](), pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", unk_token="<unk>"
    )


@cache
def units_of(caption: str) -> textgroup.Units:
    return textgroup.load().segment(caption)


@pytest.mark.parametrize("caption", CAPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_tokens_of_a_unit_are_those_of_its_characters(kind: str, caption: str) -> None:
    encoded = tokenizer(kind)(caption, return_offsets_mapping=True)
    units = units_of(caption)
    found = token_indices(units, encoded.offset_mapping)
    for unit, tokens in zip(units, found):
        of_characters = {encoded.char_to_token(i) for i in range(unit.start, unit.end) if not caption[i].isspace()}
        assert of_characters - {None} <= set(tokens), unit.text
        assert tokens == sorted(set(tokens))
        assert tokens, unit.text
    assert not {i for tokens in found for i in tokens} & {
        i for i, special in enumerate(encoded.sequence_ids()) if special is None
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_token_with_characters_is_in_one_unit(kind: str) -> None:
    encoded = tokenizer(kind)(CAPTIONS[0], return_offsets_mapping=True)
    found = token_indices(units_of(CAPTIONS[0]), encoded.offset_mapping)
    with_characters = {i for i, (a, b) in enumerate(encoded.offset_mapping) if CAPTIONS[0][a:b].strip()}
    of_units = [i for tokens in found for i in tokens]
    assert len(of_units) == len(set(of_units))
    assert set(of_units) >= with_characters


def test_special_tokens_count() -> None:
    """<bos> is 0, so the first word of the caption is 1."""
    units = [Unit("a", 0, 1, 0), Unit("man", 2, 5, 1)]
    assert token_indices(units, [(0, 0), (0, 1), (2, 4), (4, 5), (0, 0), (0, 0)]) == [[1], [2, 3]]


def test_a_unit_that_was_cut_off_has_no_tokens_and_padding_is_in_none() -> None:
    encoded = tokenizer("word_piece")(
        [CAPTIONS[0], "a"],
        return_offsets_mapping=True,
        truncation=True,
        max_length=5,
        padding=True,
        return_tensors="np",
    )
    found = token_indices(units_of(CAPTIONS[0]), encoded["offset_mapping"][0])
    assert found[0][0] == 1
    assert found[-1] == []
    (only,) = token_indices([Unit("a", 0, 1, 0)], encoded["offset_mapping"][1])
    assert only == [1]


def test_arrays_tensors_and_encodings_do_too() -> None:
    encoding = KINDS["word_piece"]().encode(CAPTIONS[0])
    expected = token_indices(units_of(CAPTIONS[0]), encoding.offsets)
    assert token_indices(units_of(CAPTIONS[0]), np.array(encoding.offsets)) == expected
    assert token_indices(units_of(CAPTIONS[0]), torch.tensor(encoding.offsets)) == expected


@pytest.mark.parametrize("wrong", [None, 7, "ab", [1, 2], [[[0, 1], [1, 2]]], np.zeros((1, 3, 2), int), [("a", "b")]])
def test_what_are_no_offsets_is_told(wrong: object) -> None:
    with pytest.raises(textgroup.InputError, match="offsets is"):
        token_indices([Unit("a", 0, 1, 0)], wrong)
