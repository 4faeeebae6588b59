"""The linked view, by its HTML."""

import base64
import io
import json
import re
from typing import Any

import numpy as np
from PIL import Image

from tests.app.stand_in import PICTURE, StandIn
from textgroup.app.comparing import Opinion, opinion
from textgroup.app.view import message_html, opinions_html
from textgroup.report.overlay import COLOURS


def look(*captions: str, name: str = "m") -> Opinion:
    model: Any = StandIn()
    return opinion(name, model, PICTURE, captions)


def attributes(html: str, kind: str) -> list[str]:
    """The opening tags that have a class."""
    return re.findall(rf'<\w+[^>]*class="[^"]*\b{kind}\b[^"]*"[^>]*>', html)


def test_a_unit_and_its_region_have_one_number_and_one_colour() -> None:
    html = opinions_html([look("man in car sees dog")], PICTURE)
    units = attributes(html, "tg-found")
    assert [re.findall(r'data-unit="(\d+)"', unit) for unit in units] == [["0"], ["4"]]
    for number, colour in zip((0, 4), COLOURS):
        linked = re.findall(rf'<\w+[^>]*data-unit="{number}"[^>]*>', html)
        assert len(linked) == 4, "unit, heat, region, point"
        assert sum(colour in tag for tag in linked) == 3, "the heat is a picture"
    assert len(attributes(html, "tg-missing")) == 1
    assert len(attributes(html, "tg-plain")) == 2


def test_a_region_stands_where_the_unit_points() -> None:
    html = opinions_html([look("dog")], PICTURE)
    (region,), (point,) = attributes(html, "tg-region"), attributes(html, "tg-point")
    assert "left: 50.00%; top: 0.00%; width: 50.00%; height: 50.00%" in region
    assert "left: 75.00%; top: 25.00%" in point


def test_heat_is_the_colour_of_the_unit_where_it_is_hot() -> None:
    (heat,) = attributes(opinions_html([look("man")], PICTURE), "tg-heat")
    content = re.search(r"base64,([^\"]+)", heat)
    assert content is not None
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(content[1]))))
    assert pixels.shape[2] == 4
    assert (pixels[..., :3] == [0x0B, 0x84, 0xD8]).all(), COLOURS[0]
    assert pixels[5, 5, 3] > 150 > 10 > pixels[-5, -5, 3]


def test_the_map_has_a_cell_for_each_group_and_subword_and_marks_the_largest() -> None:
    html = opinions_html([look("man in car")], PICTURE)
    cells = attributes(html, "tg-share")
    shares = [float(share) for cell in cells for share in re.findall(r"--share: ([\d.]+)", cell)]
    assert shares == [1, 0.25, 1, 0, 0.75, 0]
    assert ["tg-most" in cell for cell in cells] == [True, False, True, False, True, False]
    assert len(attributes(html, "tg-hard")) == 1, "a switch"
    assert not attributes(opinions_html([look("man car")], PICTURE), "tg-hard"), "soft and hard are the same"


def test_nothing_in_a_caption_or_a_name_becomes_markup() -> None:
    evil = "<img/src=x/onerror=alert(1)> \"'\u202e &amp; man"
    html = opinions_html([look(evil, evil + " car", name="<b>"), look("man", name="other")], PICTURE, ["<i>"])
    assert "<img/src" not in html
    assert "<b>m" not in html
    assert "<i>" not in html.replace('<i class="tg-point"', "")
    assert "\u202e" not in html
    assert "<script" not in message_html("<script>")


def test_the_json_holds_what_is_shown() -> None:
    html = opinions_html([look("man in car", "dog")], PICTURE)
    (link,) = re.findall(r'download="textgroup.json" href="data:application/json;base64,([^"]+)"', html)
    record = json.loads(base64.b64decode(link))
    assert [of["caption"] for of in record["opinions"][0]["captions"]] == ["man in car", "dog"]


def test_the_verdict_is_said_in_words() -> None:
    assert "“car” in the second" in opinions_html([look("man in", "man in car")], PICTURE)
    assert "fit the picture equally" in opinions_html([look("man", "dog")], PICTURE)
    assert "No unit decides" in opinions_html([look("man", "car")], PICTURE)


def test_without_a_picture_there_is_none_and_nothing_to_save_as_png() -> None:
    model: Any = StandIn()
    html = opinions_html([opinion("m", model, None, ["man in car"])], None, ["No picture."])
    assert "<img" not in html
    assert "textgroup.png" not in html
    assert len(attributes(html, "tg-named")) == 2
    assert "No picture." in html
