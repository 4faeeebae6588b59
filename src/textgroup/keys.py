"""Keys of random numbers: a draw depends on a key, and a key on the words that name its purpose."""

import hashlib


def key_of(*words: object) -> int:
    """64 bits for these words, the same on every machine."""
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
