"""How well the groups of an object encoder are the objects, on pictures whose objects are known (generated scenes)."""

from collections.abc import Sequence

import numpy as np


def adjusted_rand_index(found: np.ndarray, truth: np.ndarray) -> float:
    """Agreement of two partitions of the same pixels, corrected for chance (Hubert & Arabie, 1985); 1 is the same.

    found, truth: (pixels,), whole numbers from 0. Two partitions into one part each agree.
    """
    table = np.zeros((int(found.max()) + 1, int(truth.max()) + 1))
    np.add.at(table, (found, truth), 1)

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1)).sum() / 2)

    together, total = pairs(table), pairs(np.array([table.sum()]))
    by_found, by_truth = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = by_found * by_truth / total if total else 0.0
    largest = (by_found + by_truth) / 2
    return 1.0 if largest == expected else (together - expected) / (largest - expected)


def object_discovery(masks: np.ndarray, truth: Sequence[np.ndarray]) -> dict[str, float]:
    """Per cent over pictures: "ari" on the pixels of objects (of pictures with two and more), "best_iou", the mean over
    objects of the best intersection over union with a group; and "groups_used", a number.

    masks: (pictures, G, h, w), how much of each pixel each group has. truth: a picture each, (objects, h, w), bool,
    disjoint.
    """
    ari, best, used = [], [], []
    for shares, objects in zip(masks, truth):
        group = shares.argmax(axis=0)  # (h, w)
        there = objects.any(axis=0)
        if len(objects) > 1:
            ari.append(adjusted_rand_index(group[there], objects.argmax(axis=0)[there]))
        groups = np.unique(group)
        for one in objects:
            if one.any():
                best.append(max((one & (group == g)).sum() / (one | (group == g)).sum() for g in groups))
        used.append(len(groups))
    means = (100 * float(np.mean(ari)) if ari else float("nan"), 100 * float(np.mean(best)), float(np.mean(used)))
    return dict(zip(("ari", "best_iou", "groups_used"), means))
