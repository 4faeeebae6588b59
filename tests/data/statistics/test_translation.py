"""Which words of two languages mean the same is found from captions and their translations alone."""

import numpy as np

from textgroup.data.statistics.translation import align


def language(seed: int) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Captions of words 0 to 29, translations, and the place of each word's own in the translation.

    Word w is 29 - w there, two neighbours are swapped, and a word that means nothing, 30, stands somewhere.
    """
    random = np.random.default_rng(seed)
    captions, translations, places = [], [], []
    for _ in range(400):
        words = random.choice(30, random.integers(4, 9), replace=False)
        order = np.arange(len(words))
        swap = random.integers(len(words) - 1)
        order[[swap, swap + 1]] = order[[swap + 1, swap]]
        translated = np.insert(29 - words[order], at := random.integers(len(words) + 1), 30)
        place = np.argsort(order)
        captions.append(words)
        translations.append(translated)
        places.append(place + (place >= at))
    return captions, translations, places


def test_words_of_one_meaning_are_found_whatever_their_order_and_one_without_meaning_is_nobodys() -> None:
    captions, translations, places = language(0)
    found = align(captions, translations)
    right = [row[place] for sure, own in zip(found, places) for row, place in zip(sure, own)]
    wrong = [np.delete(row, place).max() for sure, own in zip(found, places) for row, place in zip(sure, own)]
    assert np.mean(np.array(right) > 0.5) > 0.99
    assert np.mean(np.array(wrong) > 0.5) < 0.01
    nobodys = [sure[:, words == 30].max() for sure, words in zip(found, translations)]
    assert np.mean(np.array(nobodys) > 0.5) < 0.1


def test_it_gives_one_number_for_each_pair_of_words_between_0_and_1() -> None:
    captions, translations, _ = language(1)
    found = align([np.array([], dtype=np.int64), *captions], [np.array([3]), *translations])
    shapes = [(0, 1), *((len(own), len(other)) for own, other in zip(captions, translations))]
    assert [sure.shape for sure in found] == shapes
    assert all(((sure >= 0) & (sure <= 1)).all() for sure in found)


def test_captions_are_aligned_alike_in_whatever_order_they_come() -> None:
    captions, translations, _ = language(2)
    forwards, backwards = align(captions, translations), align(captions[::-1], translations[::-1])
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(forwards, backwards[::-1]))
