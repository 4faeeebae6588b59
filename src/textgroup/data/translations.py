"""Reading captions that say the same in several languages."""

from collections.abc import Sequence

from textgroup.data.captions import CaptionData
from textgroup.data.sources.count import MEANT, Count
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.text.tokenizer import CaptionTokenizer


def read_translations(
    sources: Sequence[str], tokenizer: CaptionTokenizer, caption_column: str = "caption"
) -> tuple[CaptionData, ...]:
    """The captions of each source, of one language: caption n of each says what caption n of the first says.

    Raises `InputError` as `read_samples` does, if they are not equally many, and if some are left out, as blank ones
    are: those behind would face a wrong translation.
    """
    languages = [_read(source, caption_column) for source in sources]
    for source, captions in zip(sources, languages):
        if len(captions) != len(languages[0]):
            raise InputError(
                f"units.translations: {sources[0]} has {len(languages[0]):,} captions and {source} has "
                f"{len(captions):,}; caption n of each has to say the same"
            )
    return tuple(CaptionData.build([(caption,) for caption in captions], tokenizer) for captions in languages)


def _read(source: str, caption_column: str) -> list[str]:
    count = Count()
    samples = read_samples(source, images=False, caption_column=caption_column, count=count)
    captions = [caption for sample in samples for caption in sample.captions]
    for why, times in count.skipped.items():
        if why not in MEANT:
            raise InputError(
                f"units.translations: {source}: {times} left out ({why}: {count.examples[why][0]}), and the captions "
                "behind would face wrong translations: remove the same captions from every source"
            )
    return captions
