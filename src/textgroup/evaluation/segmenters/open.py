"""The list of segmenters: everything that cuts captions into units, opened by its name on the command line.

A segmenter takes captions and gives the units of each. Models, baselines, clusterings, chunkers and files are all of
this one type, and evaluation never asks which it has. A new segmenter is a file and a line here.
"""

from textgroup.errors import InputError
from textgroup.evaluation.segmenters.checkpoints import open_checkpoint, open_untrained
from textgroup.evaluation.segmenters.chunkers import open_chunker
from textgroup.evaluation.segmenters.clusterings import open_kmeans, open_meanshift, open_spectral
from textgroup.evaluation.segmenters.cuts import open_equal, open_random, open_singletons
from textgroup.evaluation.segmenters.files import open_file
from textgroup.evaluation.segmenters.left_entropy import open_left_entropy
from textgroup.evaluation.segmenters.request import Opener, Request
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.units import Segmenter

SEGMENTERS: dict[str, Opener] = {
    "model[:PATH]": open_checkpoint,
    "equal:K": open_equal,
    "singletons": open_singletons,
    "random:K": open_random,
    "untrained:CONFIG": open_untrained,
    "left-entropy:THRESHOLD": open_left_entropy,
    "kmeans:K": open_kmeans,
    "spectral:K": open_spectral,
    "meanshift": open_meanshift,
    "chunker:NAME": open_chunker,
    "file:UNITS.jsonl": open_file,
}
"""By the form in which each is typed: NAME, NAME:VALUE, or NAME[:VALUE] where the value may be left out."""
SPECS = ", ".join(SEGMENTERS).replace("chunker:NAME", "chunker:nltk, chunker:grammar, chunker:spacy[:MODEL_OR_PATH]")


def open_segmenter(
    spec: str,
    tokenizer: CaptionTokenizer | None,
    *,
    fit_on: str | None = None,
    features_from: str | None = None,
    caption_column: str = "caption",
) -> Segmenter:
    """The segmenter that `spec` names (one of `SPECS`).

    tokenizer: of the evaluation tokens, which the cuts cut; None: words. fit_on: the captions that `left-entropy`
    counts; caption_column: where they are in a table. features_from: the baseline checkpoint whose tokens `kmeans`,
    `spectral` and `meanshift` cluster.
    Raises `InputError` for what cannot be opened.
    """
    name, _, value = spec.partition(":")
    for form, open_this in SEGMENTERS.items():
        if name == form.partition(":")[0].rstrip("[") and (":" in form or not value):
            return open_this(Request(spec, value, tokenizer, fit_on, features_from, caption_column))
    raise InputError(f"no segmenter {spec!r}: there are {SPECS}")
