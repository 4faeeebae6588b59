"""A random order of any number of items, computed and never stored: memory does not grow with the data set."""

import numpy as np

ROUNDS = 6
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""Constants of splitmix64 (Steele et al., 2014)."""


def permute(positions: np.ndarray, items: int, key: int) -> np.ndarray:
    """The items, 0 to items - 1, at these positions of the order that `key` names; int64.

    A Feistel network (Luby & Rackoff, 1988) permutes the numbers of an even number of bits. A result that is no item is
    permuted again until it is one.
    """
    half = max(1, ((items - 1).bit_length() + 1) // 2)
    items_there = _feistel(positions.astype(np.uint64), half, key)
    while len(outside := np.flatnonzero(items_there >= items)):
        items_there[outside] = _feistel(items_there[outside], half, key)
    return items_there.astype(np.int64)


def hash_integers(numbers: np.ndarray, key: int) -> np.ndarray:
    """A random number of 30 bits for each of the numbers, int64."""
    return (_splitmix(numbers.astype(np.uint64), key) >> np.uint64(34)).astype(np.int64)


def _feistel(x: np.ndarray, half: int, key: int) -> np.ndarray:
    bits, low = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = x >> bits, x & low
    for number in range(ROUNDS):
        left, right = right, left ^ (_splitmix(right, key + number) & low)
    return left << bits | right


def _splitmix(x: np.ndarray, key: int) -> np.ndarray:
    """splitmix64 of a number and a key; products wrap."""
    x = x + np.uint64(key * 0x9E3779B97F4A7C15 & (1 << 64) - 1)
    x = (x ^ x >> np.uint64(30)) * FIRST
    x = (x ^ x >> np.uint64(27)) * SECOND
    return x ^ x >> np.uint64(31)
