"""Captions a second and peak memory of `textgroup segment --file` on a stream of captions.

    python benchmarks/segment_stream.py CHECKPOINT CAPTIONS.txt[.gz] [--count 100000]

The captions are taken in turn until there are `--count`; memory is measured at a tenth of the way and at the end, so
that what grows with the stream shows. Runs the command itself in a fresh process.
"""

import argparse
import gzip
import itertools
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("captions", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    options = parser.parse_args()
    with (gzip.open if options.captions.suffix == ".gz" else open)(options.captions, "rt", encoding="utf-8") as file:
        captions = [line.strip() for line in file if line.strip()]
    for count in (options.count // 10, options.count):
        with tempfile.TemporaryDirectory() as folder:
            text, out = Path(folder) / "captions.txt", Path(folder) / "units.jsonl"
            text.write_text("\n".join(itertools.islice(itertools.cycle(captions), count)) + "\n", encoding="utf-8")
            command = ["segment", "-c", options.checkpoint, "--file", str(text), "--out", str(out)]
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", "from textgroup.cli import main; main()", *command], check=True)
            seconds = time.perf_counter() - started
            with out.open() as lines:
                assert sum(1 for _ in lines) == count
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"{count:>9,} captions: {seconds:6.1f} s, {count / seconds:7,.0f} captions/s, peak memory {peak:,.0f} MiB"
        )


if __name__ == "__main__":
    main()
