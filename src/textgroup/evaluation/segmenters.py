"""Baselines that cut a caption without looking at it."""


def equal_split(length: int, parts: int) -> list[int]:
    """The unit of each of `length` tokens when the caption is cut into `parts` runs of (nearly) equal length."""
    return [j * parts // length for j in range(length)] if length > parts else list(range(length))
