"""The spaCy component `textgroup`: the units of each document as the span group `doc.spans["textgroup"]`.

`nlp.add_pipe("textgroup")` finds it by the entry point in pyproject.toml, without an import. spaCy imports this module
whenever a pipeline is made, so nothing heavy is imported before the first document.
"""

import multiprocessing
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.util import minibatch

from textgroup.errors import InputError
from textgroup.units import Unit

if TYPE_CHECKING:
    from textgroup.inference.segmenter import TextSegmenter

LABELS = {True: "GROUNDABLE", False: "OTHER", None: "UNIT"}
"""The label of a unit by its mark: it names something, it does not, the model makes no mark."""


def _use_one_thread() -> None:
    """In a process of `n_process`. spaCy forks it, and PyTorch's threads, which a fork does not copy, would be waited
    for without end; there is a process for each core anyway."""
    if torch := sys.modules.get("torch"):  # the packaged model does without
        torch.set_num_threads(1)


@Language.factory("textgroup", default_config={"model": None, "spans_key": "textgroup", "device": "cpu"})
def make_component(nlp: Language, name: str, model: str | None, spans_key: str, device: str) -> "UnitsComponent":
    """Make the component. model, device: as `textgroup.load_segmenter` takes them; null is the packaged model."""
    return UnitsComponent(model, spans_key, device)


class UnitsComponent:
    """Adds the units of documents. A pipeline that is saved holds the checkpoint, and needs the original no more.

    exclude: spaCy hands it to every component; this one has nothing to leave out.
    """

    def __init__(self, model: str | None = None, spans_key: str = "textgroup", device: str = "cpu") -> None:
        self.where, self.spans_key, self.device = model, spans_key, device
        self._files: dict[str, bytes] | None = None  # of a pipeline that was read
        self._model: TextSegmenter | None = None

    def __call__(self, doc: Doc) -> Doc:
        """Set `doc.spans[spans_key]`: a span for each unit, labelled as `LABELS` says.

        A span has whole spaCy tokens: where one reaches into two units, it is in the spans of both.
        """
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 1000) -> Iterator[Doc]:
        """The documents of a stream with their units, in order, `batch_size` at a time."""
        if multiprocessing.parent_process() is not None:
            _use_one_thread()
        for docs in minibatch(stream, batch_size):
            for doc, units in zip(docs, self._open().segment_window([doc.text for doc in docs])):
                doc.spans[self.spans_key] = SpanGroup(doc, spans=[_span(doc, unit) for unit in units])
                yield doc

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The checkpoint's files."""
        return bytes(srsly.msgpack_dumps(self._read_files()))

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "UnitsComponent":
        """Take the checkpoint's files from `to_bytes`. Raises `InputError` if they are no checkpoint."""
        from textgroup.model.pretrained import FILES

        files = srsly.msgpack_loads(data)
        known = isinstance(files, dict) and set(files) == set(FILES)  # a name is that of a file: none but ours
        if not known or not all(isinstance(content, bytes) for content in files.values()):
            raise InputError(f"textgroup: no saved component: it has to hold {', '.join(FILES)}")
        return self._take_files(files)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the checkpoint's files to a directory."""
        Path(path).mkdir(parents=True, exist_ok=True)
        for name, content in self._read_files().items():
            (Path(path) / name).write_bytes(content)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "UnitsComponent":
        """Read them from a directory. Raises `InputError` if it is no checkpoint."""
        return self._take_files(_read_checkpoint(Path(path)))

    def __getstate__(self) -> dict[str, Any]:
        """For other processes, which open the model anew."""
        return self.__dict__ | {"_model": None}

    def _open(self) -> "TextSegmenter":
        """The model, loaded when it is first asked for."""
        import textgroup

        if self._model is None and self._files is None:
            self._model = textgroup.load_segmenter(self.where, device=self.device)
        elif self._model is None:
            with TemporaryDirectory() as directory:
                self.to_disk(directory)
                self._model = textgroup.load_segmenter(directory, device=self.device)
        return self._model

    def _read_files(self) -> dict[str, bytes]:
        from textgroup.model.pretrained import PACKAGED, checkpoint_directory

        if self._files is None:
            return _read_checkpoint(PACKAGED if self.where is None else checkpoint_directory(self.where))
        return self._files

    def _take_files(self, files: dict[str, bytes]) -> "UnitsComponent":
        self._files, self._model = files, None
        self._open()
        return self


def _span(doc: Doc, unit: Unit) -> Span:
    return doc.char_span(unit.start, unit.end, label=LABELS[unit.groundable], alignment_mode="expand")


def _read_checkpoint(directory: Path) -> dict[str, bytes]:
    from textgroup.model.pretrained import FILES

    missing = [name for name in FILES if not (directory / name).is_file()]
    if missing:
        raise InputError(f"{directory} is not a TextGroup checkpoint: {', '.join(missing)} missing")
    return {name: (directory / name).read_bytes() for name in FILES}
