"""Units of any caption: nothing is lost, no word is cut, no unit crosses the end of a sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import textgroup
from tests.strange import any_caption, check_units
from textgroup.inference.textgroup import TextGroup
from textgroup.text import windows
from textgroup.text import words as words_module
from textgroup.text.words import word_starts


@pytest.fixture(scope="module")
def model() -> TextGroup:
    return textgroup.load()


def cut(model: TextGroup, caption: str) -> str:
    """The caption with its cuts; what names something in brackets."""
    return " | ".join(f"[{unit.text}]" if unit.groundable else unit.text for unit in model.segment(caption))


PIECES = [
    "a man ",
    "in a hat",
    "İstanbul'da ",
    "ŉ",
    "men 's ",
    "&amp;",
    "schÃ¶n",
    "9 p.m. ",
    "Mr. Lee ",
    "👨‍👩‍👧",
    "今日は。",
    "ไทย",
    "\ud800",
]


def clip_style(kind: str) -> TextGroup:
    """An untrained model on letters, with CLIP's words."""
    import torch

    from textgroup.config.model import EncoderConfig
    from textgroup.model.textgroup import TextGroupModel
    from textgroup.text.tokenizer import CaptionTokenizer

    torch.manual_seed(0)
    tokenizer = CaptionTokenizer([("t", "h"), ("th", "e</w>")], max_tokens=12)
    config = EncoderConfig(kind=kind, width=16, heads=2, layers_before=1, layers_after=1, groups=3, max_tokens=12)
    return TextGroup(TextGroupModel(config, None, 8, vocabulary=len(tokenizer)), tokenizer)


@pytest.fixture(scope="module", params=["packaged", "dynamic", "grouping", "soft", "baseline"])
def any_model(request: pytest.FixtureRequest) -> TextGroup:
    return textgroup.load() if request.param == "packaged" else clip_style(request.param)


@given(any_caption)
def test_units_are_in_order_never_overlap_and_cover_every_character(any_model: TextGroup, caption: str) -> None:
    check_units(caption, any_model.segment(caption))


@given(
    st.lists(st.sampled_from([*PIECES[:2], *PIECES[4:5], *PIECES[7:-1], *"ab c.,'’()-/:1é"]), max_size=25).map("".join)
)
def test_units_begin_where_words_do(model: TextGroup, caption: str) -> None:
    first = len(caption) - len(caption.lstrip())
    starts = {first} | {start for a, b in windows.sentences(caption) for start in _starts(caption, a, b)}
    assert {unit.start for unit in model.segment(caption)} <= starts


def _starts(caption: str, a: int, b: int) -> set[int]:
    """Every place where a word may begin, also after what cleaning rewrote."""
    spaces = {n + 1 for n in range(a, b) if caption[n].isspace()}
    words = {start for _, (start, _) in words_module._SPLIT.pre_tokenize_str(caption[a:b].lower())}
    return {a + start for start in words} | spaces | {a}


def test_a_caption_has_no_longest_length(model: TextGroup) -> None:
    sentence = "A man in a blue hat is holding a flag in front of a group of people."
    alone = model.segment(sentence)
    many = " ".join([sentence] * 300)
    units = model.segment(many)
    check_units(many, units)
    assert [unit.text for unit in units] == [unit.text for unit in alone] * 300
    assert [unit.groundable for unit in units] == [unit.groundable for unit in alone] * 300
    assert [unit.group for unit in units] == list(range(len(units))), "each its own group"


@settings(max_examples=30)  # each takes long
@given(
    st.lists(
        st.sampled_from(
            ["a", "the", "man", "dog", "red", "hat", "with", "on", "holds", "and", "of", ",", "two", "men's", "t-shirt"]
        ),
        min_size=60,
        max_size=150,
    )
)
def test_a_long_sentence_is_cut_alike_wherever_a_window_ends(model: TextGroup, words: list[str]) -> None:
    caption = " ".join(words)
    whole = model.segment(caption)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(windows, "WORDS", 17)
        patched.setattr(windows, "LONGEST", 100)
        parts = model.segment(caption)
    assert [(unit.start, unit.end) for unit in parts] == [(unit.start, unit.end) for unit in whole]


@pytest.mark.parametrize(
    "word",
    [
        "mid-air",
        "black-and-white",
        "men's",
        "can't",
        "long-haired",
        "10:30",
        "1970s",
        "9\xa0p.m.",
        "rock'n'roll",
        "White/Black",
        "isn’t",
        "$5.99",
        "J.R.R.",
        "u.s.a.",
        "p.m.",
    ],
)
def test_no_word_is_cut(model: TextGroup, word: str) -> None:
    caption = f"a man with {word} things stands on a wall"
    inside = range(len("a man with "), len(f"a man with {word}"))
    assert not [unit for unit in model.segment(caption) if unit.start in inside[1:]]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("The image shows a busy street.", "The image shows | [a busy street] | ."),
        ("An old fisherman mends his net.", "[An old fisherman] | mends | [his net] | ."),
        (
            "A town in Japan. In the foreground a dog.",
            "[A town] | in | [Japan] | . | In | [the foreground] | [a dog] | .",
        ),
        ("A house! Wow, pizza!!! 🍕🍕 @tonyspizza", "[A house] | ! | [Wow] | , | [pizza] | !!! | 🍕🍕 | [@tonyspizza]"),
        ("Mr. Lee is sitting on a bench.", "[Mr. Lee] | is | sitting | on | [a bench] | ."),
        (
            "a portrait of a woman, (detailed face:1.2)",
            "[a portrait] | of | [a woman] | , | ( | [detailed face] | : | [1.2] | )",
        ),
        ("A group of people stand next to a house", "[A group of people] | stand | next to | [a house]"),
    ],
)
def test_what_went_wrong_before(model: TextGroup, caption: str, expected: str) -> None:
    """Each was cut inside a word, across sentences or at a mark, or kept a verb with its subject."""
    assert cut(model, caption) == expected


def test_a_long_text_without_spaces_is_cut_to_its_end(model: TextGroup) -> None:
    caption = "a dog,a cat,".replace(" ", "-") * 2_500
    units = model.segment(caption)
    check_units(caption, units)
    assert units[-1].end - units[-1].start < 10


@pytest.mark.parametrize("caption", ["It ends. \ufeffA cat", "A dog runs.\n\n&nbsp;A cat", "He said. \u200b"])
def test_what_cleaning_takes_away_belongs_to_its_own_sentence(model: TextGroup, caption: str) -> None:
    check_units(caption, model.segment(caption))
    starts = {a + len(caption[a:b]) - len(caption[a:b].lstrip()) for a, b in windows.sentences(caption)}
    assert starts & set(range(len(caption))) <= {unit.start for unit in model.segment(caption)}


def test_a_caption_of_which_nothing_is_left_names_nothing(model: TextGroup) -> None:
    assert [unit.groundable for unit in model.segment("\ufeff\u200b")] == [False]


def test_marks_name_nothing(model: TextGroup) -> None:
    units = model.segment("a dog , ( a cat ) ! \u2026 - 🍕")
    assert [unit.text for unit in units if unit.groundable] == ["a dog", "a cat"]


def test_captions_of_another_language_are_told(model: TextGroup) -> None:
    captions = ["a man in a blue hat is holding a flag", "Un hombre con un sombrero azul sostiene una bandera.", ""]
    assert model.unfamiliar(captions) == [False, True, False]
    assert model.unfamiliar(["Deux filles jouent sur la plage."]) == [True]  # in short words, of few pieces


def test_new_words_are_counted_and_not_their_pieces(model: TextGroup) -> None:
    captions = ["a man and a dog with a qzxqzjqvxqzwkj", "a qzxqzj"]
    assert model.unfamiliar(captions) == [False, False]
    assert model.unfamiliar(captions, share=0.4) == [False, True]
    assert model.unfamiliar(captions, share=0.0) == [True, True]


def test_a_model_of_few_groups_does_not_cut_words_either_nor_join_sentences(tmp_path: object) -> None:
    import torch

    from textgroup.config.model import EncoderConfig
    from textgroup.model.textgroup import TextGroupModel
    from textgroup.text.tokenizer import CaptionTokenizer

    tokenizer = CaptionTokenizer([], max_tokens=12)  # letters, with CLIP's words
    for seed in range(5):
        torch.manual_seed(seed)
        config = EncoderConfig(width=16, heads=2, layers_before=1, layers_after=0, groups=3, max_tokens=12)
        fixed = TextGroup(TextGroupModel(config, None, 8, vocabulary=len(tokenizer)), tokenizer)
        caption = "🍕🍕 long-haired men's. A dog"
        units = fixed.segment(caption)
        check_units(caption, units)
        assert {unit.start for unit in units} <= word_starts(caption)
        assert caption.index("A dog") in {unit.start for unit in units}
