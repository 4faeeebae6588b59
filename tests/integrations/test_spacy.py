"""The spaCy component: spans with labels, in every way that spaCy runs and saves a pipeline."""

import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

spacy = pytest.importorskip("spacy", reason="needs spaCy: pip install 'textgroup[spacy]'")
srsly = pytest.importorskip("srsly")

import textgroup.integrations.spacy  # noqa: E402  # a checkout that is not installed has no entry point
from tests.cli.checkpoints import write_checkpoint  # noqa: E402
from textgroup import InputError  # noqa: E402
from textgroup.integrations.spacy import UnitsComponent  # noqa: E402

ROOT = Path(__file__).parents[2]
CAPTION = "A man in a blue hat holds a flag."
SPANS = [
    ("A man", "GROUNDABLE"),
    ("in", "OTHER"),
    ("a blue hat", "GROUNDABLE"),
    ("holds", "OTHER"),
    ("a flag", "GROUNDABLE"),
    (".", "OTHER"),
]


def pipeline(**settings: object) -> "spacy.Language":
    nlp = spacy.blank("en")
    nlp.add_pipe("textgroup", config=settings)
    return nlp


def spans(doc: "spacy.tokens.Doc", key: str = "textgroup") -> list[tuple[str, str]]:
    return [(span.text, span.label_) for span in doc.spans[key]]


@pytest.fixture(scope="module")
def nlp() -> "spacy.Language":
    return pipeline()


def test_a_document_has_a_span_for_each_unit_labelled_by_its_mark(nlp: "spacy.Language") -> None:
    assert spans(nlp(CAPTION)) == SPANS


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_an_empty_document_has_no_spans(nlp: "spacy.Language", text: str) -> None:
    assert spans(nlp(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "  A man\n\nin a   hat ",
        "caf\u00e9s & \U0001f468\u200d\U0001f469\u200d\U0001f467 don't",
        "red/blue e-mail@x.org 5kg",
    ],
)
def test_every_unit_has_a_span_and_every_span_holds_its_unit(nlp: "spacy.Language", text: str) -> None:
    units = textgroup.load().segment(text)
    doc = nlp(text)
    assert len(doc.spans["textgroup"]) == len(units)
    for span, unit in zip(doc.spans["textgroup"], units):
        assert span.start_char <= unit.start < unit.end <= span.end_char


def test_a_stream_gives_the_same_in_order_in_batches_of_any_size(nlp: "spacy.Language") -> None:
    captions = [CAPTION, "", "Two dogs run.", "a red kite"] * 3
    expected = [spans(nlp(caption)) for caption in captions]
    for size in (1, 5, 1000):
        docs = list(nlp.pipe(captions, batch_size=size))
        assert [doc.text for doc in docs] == captions
        assert [spans(doc) for doc in docs] == expected


def test_a_stream_is_read_one_batch_at_a_time(nlp: "spacy.Language") -> None:
    taken: list[int] = []
    endless = (taken.append(1) or CAPTION for _ in iter(int, 1))
    assert spans(next(iter(nlp.pipe(endless, batch_size=10)))) == SPANS
    assert len(taken) <= 2 * 10


def test_several_processes_give_the_same(nlp: "spacy.Language") -> None:
    captions = [f"A man holds {i} red flags." for i in range(20)]
    expected = [spans(nlp(caption)) for caption in captions]
    torch.ones(3000, 3000).sum()  # PyTorch's threads run when spaCy forks
    docs = list(nlp.pipe(captions, n_process=2, batch_size=5))
    assert [spans(doc) for doc in docs] == expected
    assert spans(pickle.loads(pickle.dumps(nlp.get_pipe("textgroup")))(nlp.make_doc(CAPTION))) == SPANS


def test_a_saved_pipeline_needs_its_checkpoint_no_more(tmp_path: Path) -> None:
    made = write_checkpoint(tmp_path / "made", [CAPTION], None)
    nlp = pipeline(model=str(made), spans_key="units")
    expected = spans(nlp(CAPTION), "units")
    nlp.to_disk(tmp_path / "saved")
    as_bytes = nlp.to_bytes()
    for file in made.iterdir():
        file.unlink()
    made.rmdir()
    read = spacy.load(tmp_path / "saved")
    assert spans(read(CAPTION), "units") == expected
    again = pipeline(model=str(made), spans_key="units").from_bytes(as_bytes)
    assert spans(again(CAPTION), "units") == expected
    again.to_disk(tmp_path / "again")
    assert spans(spacy.load(tmp_path / "again")(CAPTION), "units") == expected


def test_the_packaged_model_is_saved_too(nlp: "spacy.Language", tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "saved")
    assert spans(spacy.load(tmp_path / "saved")(CAPTION)) == SPANS
    assert spans(pipeline().from_bytes(nlp.to_bytes())(CAPTION)) == SPANS


def test_documents_keep_their_spans_when_they_are_saved(nlp: "spacy.Language") -> None:
    doc = nlp(CAPTION)
    assert spans(spacy.tokens.Doc(nlp.vocab).from_bytes(doc.to_bytes())) == SPANS


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a TextGroup checkpoint"):
        pipeline(model=str(tmp_path))(CAPTION)
    with pytest.raises(InputError, match="is not a TextGroup checkpoint"):
        UnitsComponent().from_disk(tmp_path)
    whole = dict.fromkeys(("config.json", "model.safetensors", "tokenizer.json"), 1)
    for files in ([], whole, {"config.json": b""}, dict.fromkeys(("../x", "config.json", "model.safetensors"), b"")):
        with pytest.raises(InputError, match="no saved component"):
            UnitsComponent().from_bytes(srsly.msgpack_dumps(files))


def test_the_installed_package_needs_no_import(tmp_path: Path) -> None:
    """spaCy finds the component by the entry point of pyproject.toml, and imports nothing heavy with it."""
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["spacy_factories"]
    installed = tmp_path / "textgroup_test-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: textgroup-test\nVersion: 1\n")
    lines = "\n".join(f"{name} = {target}" for name, target in entries.items())
    (installed / "entry_points.txt").write_text(f"[spacy_factories]\n{lines}\n")
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; import spacy; nlp = spacy.blank('en'); nlp.add_pipe('textgroup'); "
        "assert not {'textgroup.inference', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path), str(ROOT / "src")], check=True)
