"""Nothing is written by the names that data bring along."""

import io
import shutil
import tarfile
from pathlib import Path

from PIL import Image

from tests.cli.checkpoints import write_backbone, write_checkpoint
from tests.vision.tiny import TinyEncoder
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.inference.export import export
from textgroup.model.pretrained import TOWER
from textgroup.vision.store.photographs import pack
from textgroup.vision.store.writing import encode_features

NAMES = ("../../evil", "/tmp/evil-of-a-tar", "a/../../../evil", "..", "con", "a" * 200, "\x00evil", "evil\n")


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_keys_are_text_in_a_store_and_never_names_of_files(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    (tmp_path / "in").mkdir()
    with tarfile.open(tmp_path / "in" / "a.tar", "w") as tar:
        for name in NAMES[:3]:
            member = tarfile.TarInfo(f"{name}.png")
            member.size = len(picture.getvalue())
            tar.addfile(member, io.BytesIO(picture.getvalue()))
    before = everything(tmp_path)
    out = tmp_path / "out" / "deep"
    manifest = encode_features(read_samples(tmp_path / "in" / "a.tar"), TinyEncoder(), out / "store", source="a.tar")
    assert manifest.images == 3
    samples = [Sample(name, ("a man",), picture.getvalue()) for name in NAMES]
    encode_features(samples, TinyEncoder(), out / "more", source="more")
    pack(samples, out / "packed", {}, "more", TinyEncoder().transform)
    assert not Path("/tmp/evil-of-a-tar.png").exists()
    written = everything(tmp_path) - before - {"out", "out/deep"}
    assert {Path(name).parts[2] for name in written} == {"store", "more", "packed"}
    assert all(len(Path(name).parts) <= 4 and "evil" not in name for name in written)


def test_an_export_takes_along_no_other_file_of_the_tower(tmp_path: Path) -> None:
    run = write_checkpoint(tmp_path / "run", ["a man"], write_backbone(tmp_path / "backbone"))
    shutil.copytree(tmp_path / "backbone", run / TOWER)
    (tmp_path / "secret").write_text("a key of the person who exports")
    (run / TOWER / "notes.txt").symlink_to(tmp_path / "secret")
    export(run, tmp_path / "shared")
    kept = {path.name for path in (tmp_path / "shared" / TOWER).iterdir()}
    assert kept == {"config.json", "model.safetensors", "preprocessor_config.json"}
