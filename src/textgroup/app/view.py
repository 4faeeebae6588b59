"""Opinions as HTML: each caption over its picture, units and regions linked by number (`view.js`).

Everything is in the text: pictures are data addresses, so no file of the server is ever asked for.
"""

import base64
import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from textgroup.app.comparing import Look, Opinion, Verdict
from textgroup.inference.heat import magnified
from textgroup.inference.vectors import Assignment
from textgroup.report.overlay import COLOURS, draw_overlay, heat_strength
from textgroup.report.printable import one_line
from textgroup.units import Grounding

SHOWN = 640
"""Pixels of the longer side of the picture on the page."""
_HERE = Path(__file__).parent


def opinions_html(opinions: Sequence[Opinion], picture: Image.Image | None, notes: Sequence[str] = ()) -> str:
    """What models make of captions on a picture; every word of a caption is escaped."""
    record = {"opinions": [opinion.to_dict() for opinion in opinions]}
    rows = [
        {
            "model": opinion.model if len(opinions) > 1 else "",
            "verdict": _verdict_words(opinion) if opinion.verdict else "",
            "panels": [_panel(look, picture) for look in opinion.looks],
        }
        for opinion in opinions
    ]
    return _template().render(
        rows=rows,
        notes=notes,
        json=_address("application/json", json.dumps(record, ensure_ascii=False).encode()),
        picture=None if picture is None else _shown(picture),
    )


def message_html(message: str) -> str:
    """A line about what was wrong."""
    return str(Markup('<p class="tg-error" role="alert">{}</p>').format(one_line(message)))


def head_html() -> str:
    """The style and the script of the page, for its head."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("view.css", "view.js"))
    return f"<style>{style}</style><script>{script}</script>"


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("view.html")


def _panel(look: Look, picture: Image.Image | None) -> dict[str, Any]:
    """What the template shows of one caption."""
    pointed = [number for number, grounding in enumerate(look.groundings) if grounding.heat is not None]
    colours = {number: COLOURS[i % len(COLOURS)] for i, number in enumerate(pointed)}  # as `draw_overlay` has them
    regions = [_region(number, look.groundings[number], colours[number]) for number in pointed]
    return {
        "caption": one_line(look.caption),
        "similarity": _cosine(look.similarity),
        "chips": [_chip(number, look, colours.get(number)) for number in range(len(look.groundings))],
        "regions": sorted(regions, key=lambda region: -region["width"] * region["height"]),  # the small ones on top
        "notes": look.notes,
        "map": _map(look.subwords),
        "png": _picture_address(draw_overlay(picture.copy(), look.groundings), "PNG") if picture is not None else "",
    }


def _chip(number: int, look: Look, colour: str | None) -> dict[str, Any]:
    unit, _, _, _, score = look.groundings[number]
    named = unit.groundable is not False
    where = "found" if colour else "missing" if named and look.similarity is not None else "named" if named else "plain"
    meaning = {
        "found": f"names something; where it fits best, the cosine is {_cosine(score)}",
        "missing": f"names something that the picture does not seem to show (best cosine {_cosine(score)})",
        "named": "names something",
        "plain": "names nothing",
    }
    similarity = _cosine(look.unit_similarities[number]) if look.unit_similarities and named else ""
    said = one_line(unit.text)
    return {
        "number": number,
        "text": said,
        "colour": colour,
        "kind": where,
        "similarity": similarity,
        "label": f"{said}: {meaning[where]}",
    }


def _region(number: int, grounding: Grounding, colour: str) -> dict[str, Any]:
    """Box and point in per cent of the picture; the heat as a picture of its colour."""
    unit, heat, point, box, _ = grounding
    assert heat is not None, "only units that point have a region"
    assert point is not None, "a heat map has a point"
    assert box is not None, "a heat map has a box"
    coloured = Image.new("RGB", (1, 1), colour).resize(magnified(heat).shape[::-1])
    coloured.putalpha(heat_strength(magnified(heat)))
    x0, y0, x1, y1 = (100 * end for end in box)
    return {
        "number": number,
        "text": one_line(unit.text),
        "colour": colour,
        "left": x0,
        "top": y0,
        "width": x1 - x0,
        "height": y1 - y0,
        "x": 100 * point[0],
        "y": 100 * point[1],
        "heat": _picture_address(coloured, "PNG"),
    }


def _map(subwords: Assignment) -> dict[str, Any]:
    """A row a group, a cell a subword: its share, and whether the group has most of it."""
    pieces, shares = subwords
    most = shares.argmax(axis=0)  # (M,)
    rows = [
        [{"share": f"{share:.2f}", "most": most[m] == k} for m, share in enumerate(row)] for k, row in enumerate(shares)
    ]
    return {"pieces": [one_line(piece) for piece in pieces], "rows": rows, "soft": subwords.soft}


def _verdict_words(opinion: Opinion) -> str:
    """Which caption fits better, and by which unit, in a sentence or two."""
    verdict = opinion.verdict
    assert verdict is not None, "asked for with a verdict only"
    if verdict.winner is None:
        return "Both captions fit the picture equally."
    fits = f"The {_which(verdict.winner)} caption fits better, by {verdict.lead:.3f}."
    if verdict.unit is None:
        return f"{fits} No unit decides this: without any one of those that differ, the lead would be no smaller."
    return f"{fits} What decides is “{one_line(verdict.unit.text)}” in the {_which(verdict.side)}: {_without(verdict)}"


def _without(verdict: Verdict) -> str:
    assert verdict.winner is not None, "one of the captions fits better"
    if verdict.without < 0:
        return f"without it, the {_which(1 - verdict.winner)} caption would fit better, by {-verdict.without:.3f}."
    return f"without it, the lead would be {verdict.without:.3f}."


def _which(side: int) -> str:
    return ("first", "second")[side]


def _cosine(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _shown(picture: Image.Image) -> str:
    small = picture.copy()
    small.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    return _picture_address(small, "JPEG")


def _picture_address(picture: Image.Image, form: str) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=form)
    return _address(f"image/{form.lower()}", buffer.getvalue())


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
