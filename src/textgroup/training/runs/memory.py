"""Memory that is free and still held."""

import ctypes


def trim_memory() -> None:
    """Hand freed memory back to the system, where the C library can (glibc's).

    No two steps have tensors of the same sizes. What is freed of them stays in the heap, in pieces that fit the next
    step badly: over a long run on a CPU it holds several times what it needs.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return
