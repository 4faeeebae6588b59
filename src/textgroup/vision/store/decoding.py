"""Images decoded ahead of the encoder that wants them, in the order of the samples."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from queue import Queue
from threading import Event, Thread
from typing import NamedTuple

import numpy as np

from textgroup.data.sources.samples import Sample
from textgroup.errors import InputError
from textgroup.vision.decode import BrokenImage
from textgroup.vision.encoders.objects import ObjectEncoder


class Decoded(NamedTuple):
    """An image of a sample. pixels: (3, H, W), or None for a broken image, and then the reason. place: its source."""

    key: str
    pixels: np.ndarray | None
    reason: str
    place: str


@contextmanager
def decoded_images(
    samples: Iterator[Sample], encoder: ObjectEncoder, burst: int, ahead: int
) -> Iterator[Iterator[Decoded]]:
    """Yield an iterator of decoded images in the order of the samples.

    One thread reads, several decode. They decode `burst` images together, `ahead` bursts before they are asked for. Use
    0 where the encoder runs on the same cores: a decoder that takes one core makes all threads of the encoder wait.
    """

    def decode(sample: Sample) -> Decoded:
        if sample.image is None:
            raise InputError(f"sample {sample.key!r} has no image; features need a source with images")
        try:
            return Decoded(sample.key, encoder.transform(sample.image), "", sample.place)
        except BrokenImage as error:
            return Decoded(sample.key, None, str(error), sample.place)

    read: Queue[Sample | Exception | None] = Queue(2 * burst)
    stopped = Event()

    def reader() -> None:
        """Hand on samples until the source ends."""
        try:
            for sample in samples:
                read.put(sample)
                if stopped.is_set():
                    return
            read.put(None)
        except Exception as error:  # told where the images are asked for
            read.put(error)

    def source() -> Iterator[Sample]:
        while (item := read.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    def images() -> Iterator[Decoded]:
        stream, bursts = source(), deque[list[Future[Decoded]]]()
        while wanted := list(islice(stream, burst)):
            bursts.append([pool.submit(decode, sample) for sample in wanted])
            if len(bursts) > ahead:
                yield from [image.result() for image in bursts.popleft()]
        for rest in bursts:
            yield from [image.result() for image in rest]

    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1), "decode")
    thread = Thread(target=reader, name="read", daemon=True)
    thread.start()
    try:
        yield images()
    finally:
        stopped.set()
        while not read.empty():  # so that the reader gets rid of what it has, and sees that it is to stop
            read.get()
        thread.join(timeout=5)
        pool.shutdown(cancel_futures=True)
