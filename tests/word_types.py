"""Three captions of which every word is one token, for facts about word types."""

from textgroup.data.captions import CaptionData
from textgroup.text.tokenizer import CaptionTokenizer

CAPTIONS = ["a cat sees a dog", "a dog sees a cat", "the cat and a dog"]
TOKENIZER = CaptionTokenizer.train(CAPTIONS, 560)


def data_of(captions: list[str], tokenizer: CaptionTokenizer) -> CaptionData:
    """Captions to count."""
    return CaptionData.build([(caption,) for caption in captions], tokenizer)


def id_of(tokenizer: CaptionTokenizer, word: str) -> int:
    """The id of a word that is one token."""
    (found,) = tokenizer.ids([word])[0][1:-1]
    return found
