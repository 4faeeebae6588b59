"""Returning freed memory to the system."""

import ctypes


def trim_memory() -> None:
    """Return freed memory to the system, where the C library can (glibc's).

    No two steps have tensors of the same sizes. Freed memory stays in the heap in pieces that fit the next step badly,
    so that a long run on a CPU holds several times what it needs.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return
