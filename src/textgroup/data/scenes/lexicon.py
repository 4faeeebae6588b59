"""The words of the captions of generated scenes, and what would be false in the place of each."""

from textgroup.data.scenes.shapes import Place, Relation

SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "tiny": ("tiny", "very small", "miniature"),
    "small": ("small", "little"),
    "medium": ("medium sized",),
    "large": ("large", "big", "great big"),
    "huge": ("huge", "very large", "enormous", "giant"),
}
OPPOSITE_SIZE = {
    "tiny": "huge", "very small": "very large", "miniature": "giant", "small": "large", "little": "big",
    "large": "small", "big": "little", "great big": "tiny", "huge": "tiny", "very large": "very small",
    "enormous": "tiny", "giant": "miniature", "medium sized": "enormous",
}  # fmt: skip
"""Size word -> the word that makes it false."""
LIKE_SIZE = {
    word: sizes for sizes in (("tiny", "small"), ("large", "huge")) for size in sizes for word in SIZE_WORDS[size]
}
"""Size word -> the sizes of which it is not false."""
BEFORE = ("plain", "striped", "dotted", "checkered", "zigzag")
"""Textures whose name stands before the noun."""
AFTER = {"striped": "stripes", "dotted": "dots", "checkered": "checks", "zigzag": "zigzags"}
"""Texture -> the noun that tells it after the noun of the object."""
WITH: dict[str, tuple[tuple[str, ...], ...]] = {
    "plain": (("without", "any", "pattern"),),
    "striped": (("with", "*"), ("in", "*"), ("with", "+", "*"), ("with", "very", "thin", "+", "*")),
    "dotted": (("with", "*"), ("in", "*"), ("with", "+", "*"), ("covered", "in", "many", "+", "*")),
    "checkered": (("in", "*"), ("with", "+", "*"), ("covered", "in", "+", "*")),
    "zigzag": (("with", "*"), ("with", "bold", "+", "*"), ("covered", "in", "+", "*")),
    "bordered": (("outlined", "in", "+"), ("with", "a", "+", "edge"), ("with", "a", "thick", "+", "border")),
}  # fmt: skip
"""Texture -> what tells it after the noun, longest last. "*": the word of `AFTER`, "+": the second colour."""
ARTICLES = (("one",), ("the",), ("a", "single"))
"""Articles but for the usual one, shortest first."""
COUNTS: dict[int, tuple[tuple[str, ...], ...]] = {
    2: (("two",), ("two",), ("a", "pair", "of"), ("some",), ()),
    3: (("three",), ("three",), ("a", "group", "of"), ("some",), ()),
}
"""Copies in the object -> what may stand in the place of its article."""
PREPOSITIONS: dict[Relation, tuple[tuple[str, str], ...]] = {
    "above": (("above", "below"), ("above", "below"), ("over", "under"), ("higher than", "lower than")),
    "below": (("below", "above"), ("under", "over"), ("lower than", "higher than"), ("beneath", "above")),
    "left": (("left of", "right of"), ("to the left of", "to the right of")),
    "right": (("right of", "left of"), ("to the right of", "to the left of")),
    "near": (("next to", "far from"), ("beside", "far from"), ("near", "far from"), ("close to", "far from")),
    "far": (("far from", "close to"), ("far away from", "close to")),
}
"""Relation -> what says it after a verb or a noun, and the opposite."""
_Forms = tuple[str, str]  # singular, plural
_HOVERS, _STAYS = ("hovers over", "hover over"), ("stays under", "stay under")
_TOWERS, _HIDES = ("towers over", "tower over"), ("hides under", "hide under")
_LEADS, _FOLLOWS = ("leads", "lead"), ("follows", "follow")
_JOINS, _AVOIDS = ("joins", "join"), ("avoids", "avoid")
TRANSITIVE: dict[Relation, tuple[tuple[_Forms, _Forms], ...]] = {
    "above": ((_HOVERS, _STAYS), (_TOWERS, _HIDES)),
    "below": ((_STAYS, _HOVERS), (_HIDES, _TOWERS)),
    "left": ((_LEADS, _FOLLOWS),),
    "right": ((_FOLLOWS, _LEADS),),
    "near": ((_JOINS, _AVOIDS), (("accompanies", "accompany"), _AVOIDS)),
    "far": ((_AVOIDS, _JOINS),),
}
"""Relation -> verbs that say it, and the opposite."""
BEING: tuple[_Forms, ...] = (
    *(("can be seen", "can be seen"), ("appears", "appear")),
    *(("sits", "sit"), ("is", "are"), ("is", "are")),  # these need a place or a relation after them
)
"""Verbs that every object has; the first two may end a clause."""
PLACE_WORDS: dict[Place, tuple[str, str]] = {
    "top": ("at the top", "at the bottom"),
    "bottom": ("at the bottom", "at the top"),
    "left side": ("on the left", "on the right"),
    "right side": ("on the right", "on the left"),
    "middle": ("in the middle", "at the edge"),
}
"""Place -> what says it, and what is false of an object there."""
FRAMES = (
    "in this picture",
    "in the picture",
    "in a simple drawing",
    "on a plain gray background",
    "in this little scene",
)
"""What may open a caption: words that name nothing."""
OPENINGS = (
    ("there is", "there are"),
    ("there is", "there are"),
    ("here is", "here are"),
    ("we see", "we see"),
    ("you can see", "you can see"),
    ("the picture shows", "the picture shows"),
    ("this is a picture of", "this is a picture of"),
)
"""What may stand before the first phrase of a clause, by its number; the last two only open a caption."""
TAILS = ("in this picture", "in the drawing", "all on a plain background", "drawn on a plain gray background")
"""What may close a caption."""
ENDINGS = ("and that is all there is", "and nothing else can be seen", "and there is nothing else")
"""What may close a caption that names everything."""
