"""Files are written whole or not at all, and nothing is lost."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import SafetensorError

from textgroup.errors import InputError
from textgroup.files import atomic_write, full_disk_told, lock_directory, remove_abandoned


def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "deep" / "out.txt") as partial:
        partial.write_text("new")
        assert not (tmp_path / "deep" / "out.txt").exists()
    assert (tmp_path / "deep" / "out.txt").read_text() == "new"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out.txt"]


@pytest.mark.parametrize("directory", [False, True])
def test_a_failure_leaves_what_was_there(tmp_path: Path, directory: bool) -> None:
    (tmp_path / "out").write_text("old")
    with pytest.raises(RuntimeError), atomic_write(tmp_path / "out") as partial:
        if directory:
            partial.mkdir()
            (partial / "half").write_text("x")
        else:
            partial.write_text("half")
        raise RuntimeError
    assert (tmp_path / "out").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_directory_takes_the_place_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with atomic_write(tmp_path / "out") as partial:
        partial.mkdir()
        (partial / "new").write_text("new")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_a_library_that_writes_for_its_owner_alone_keeps_nobody_out(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with atomic_write(tmp_path / "out") as partial:
            partial.mkdir()
            for name in ("weights", "config"):
                (partial / name).write_text("x")
            (partial / "weights").chmod(0o600)
            (partial / "link").symlink_to(tmp_path / "private")
        (tmp_path / "private").write_text("x")
        (tmp_path / "private").chmod(0o600)
        with atomic_write(tmp_path / "last") as link:
            link.symlink_to("private")
    finally:
        assert os.umask(before) == mask
    assert (tmp_path / "out" / "weights").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (tmp_path / "out" / "config").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600, "what a link leads to is another's"


def test_a_file_never_takes_the_place_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is a directory"), atomic_write(tmp_path / "precious") as partial:
        partial.write_text("units")
    assert (tmp_path / "precious" / "thesis.tex").read_text() == "years of work"


def test_a_directory_is_one_process_at_a_time(tmp_path: Path) -> None:
    with lock_directory(tmp_path / "d"):
        with pytest.raises(InputError, match=r"another process is writing .*d: wait"), lock_directory(tmp_path / "d"):
            pass
        script = (
            "import sys, pathlib; from textgroup.files import lock_directory\n"
            "with lock_directory(pathlib.Path(sys.argv[1]), wait=True): print('mine')"
        )
        command = [sys.executable, "-c", script, str(tmp_path / "d")]
        other = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert other.stderr is not None
        assert "waiting for another process that is writing" in other.stderr.readline()
        (tmp_path / "d" / "x").touch()
    assert other.communicate(timeout=60)[0] == "mine\n"


def test_a_lock_leaves_no_directory_that_it_made_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with lock_directory(tmp_path / "a" / "b"), lock_directory(tmp_path / "there"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_no_room_is_one_line_and_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    full = "Error while serializing: I/O error: No space left on device (os error 28)"
    for error in (
        OSError(errno.ENOSPC, "No space"),
        OSError(errno.EDQUOT, "quota"),
        SafetensorError(full),
        shutil.Error([("a", "b", "[Errno 28] No space")]),
    ):
        with pytest.raises(InputError, match=r"x: (No space|Disk quota).*: go"), full_disk_told(Path("x"), "go"):
            raise error
    with pytest.raises(PermissionError, match="x"), full_disk_told(Path("x"), "make room"):
        raise SafetensorError("I/O error: Permission denied (os error 13)")
    with pytest.raises(FileNotFoundError), full_disk_told(Path("x"), "make room"):
        raise FileNotFoundError(errno.ENOENT, "no such file")
    with pytest.raises(SafetensorError), full_disk_told(Path("x"), "make room"):
        raise SafetensorError("header too large")


def test_what_a_killed_process_left_is_removed_and_not_what_another_is_writing(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, written, other = (
        tmp_path / name for name in (f".out.{dead.pid}.partial", f".out.{os.getpid()}.partial", ".out2.1.partial")
    )
    for directory in (left, written, other, tmp_path / f".out.{dead.pid}.old"):
        directory.mkdir()
    remove_abandoned(tmp_path / "out")
    left.symlink_to("nowhere")
    remove_abandoned(tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == sorted([written, other])
