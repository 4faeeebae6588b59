"""Names for randomness: what is drawn is a function of a key, and a key of words that say what it is for."""

import hashlib


def key_of(*words: object) -> int:
    """64 bits for these words, always the same."""
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
