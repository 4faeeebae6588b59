"""The page in a real browser, Debian's chromium, with the packaged model."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import textgroup
from tests.app.stand_in import PICTURE, StandIn
from tests.app.test_serving import LOCAL, free_port
from textgroup.app.comparing import opinion
from textgroup.app.serving import serve
from textgroup.app.view import head_html, opinions_html

pytest.importorskip("gradio", reason="the page needs gradio: pip install 'textgroup[app]'")
sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
MOST_WAIT = 90_000
"""Milliseconds: the first page opens the image encoder, and a machine may be busy."""
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page, served."""
    port = free_port()
    page = serve({"packaged": textgroup.load()}, LOCAL, port, block=False)
    yield f"http://{LOCAL}:{port}/"
    page.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield opened
        opened.close()


@pytest.fixture
def visit(address: str, browser: Any) -> Iterator[Callable[..., Any]]:
    """Open the page with a query; what it says in the console or asks of others fails the test."""
    contexts, wrong = [], []

    def open_page(query: str = "", **settings: Any) -> Any:
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(MOST_WAIT)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request", lambda request: request.url.startswith((address, "data:", "blob:")) or wrong.append(request.url)
        )
        page.goto(address + query)
        page.wait_for_selector(".tg-panel, .tg-error")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


def is_lit(page: Any, kind: str, number: str) -> bool:
    classes = page.locator(f".tg-panel >> nth=0 >> .{kind}[data-unit='{number}']").get_attribute("class")
    return "tg-lit" in classes.split()


def test_a_unit_lights_its_region_and_a_region_its_unit(visit: Callable[..., Any]) -> None:
    page = visit()
    hat = page.locator(".tg-unit", has_text="a white hat").first
    number = hat.get_attribute("data-unit")
    region = page.locator(f".tg-region[data-unit='{number}']").first
    heat = page.locator(f".tg-heat[data-unit='{number}']").first
    colour = "element => getComputedStyle(element).{}"
    assert hat.evaluate(colour.format("backgroundColor")) == region.evaluate(colour.format("borderTopColor"))
    assert heat.evaluate(colour.format("opacity")) == "0"

    hat.hover()
    assert is_lit(page, "tg-region", number)
    page.wait_for_function(f"document.querySelector(\".tg-heat[data-unit='{number}']\").matches('.tg-lit')")
    sync_api.expect(heat).to_have_css("opacity", "1")
    assert page.locator(".tg-lit.tg-unit").count() == 1, "the other panel stays as it is"
    page.mouse.move(1, 1)
    assert not is_lit(page, "tg-region", number)

    region.hover()
    assert is_lit(page, "tg-unit", number)
    region.click()
    page.mouse.move(1, 1)
    assert is_lit(page, "tg-unit", number), "a click keeps it"
    assert hat.get_attribute("aria-pressed") == "true"


def test_the_keyboard_is_enough(visit: Callable[..., Any]) -> None:
    page = visit()
    page.locator(".tg-unit").first.focus()
    assert is_lit(page, "tg-region", "0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent").startswith("a white hat")
    assert is_lit(page, "tg-region", "2")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    assert page.locator("[aria-pressed=true]").count() == 0
    page.locator("#caption textarea").fill("A dog runs.")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tg-unit:has-text('A dog')")


def test_a_tap_is_enough_at_380_pixels_and_nothing_is_cut_off(visit: Callable[..., Any]) -> None:
    page = visit(viewport={"width": 380, "height": 800}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    page.locator(".tg-unit", has_text="a flag").first.tap()
    assert page.locator(".tg-region.tg-lit").count() == 1
    wide = page.locator(".tg-picture").first.bounding_box()["width"]
    assert 250 < wide < 380


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_day_and_by_night(visit: Callable[..., Any], scheme: str) -> None:
    page = visit(color_scheme=scheme)
    read = "selector => getComputedStyle(document.querySelector(selector)).{}"
    shade = {}
    for selector, kind in (("body", "backgroundColor"), (".tg-similarity", "color"), (".tg-legend", "color")):
        shade[selector] = luminance(page, page.evaluate(read.format(kind), selector))
    assert (shade["body"] < 0.2) == (scheme == "dark")
    for selector in (".tg-similarity", ".tg-legend"):
        high, low = sorted((shade["body"], shade[selector]), reverse=True)
        assert (high + 0.05) / (low + 0.05) > 4.5, f"{selector}: the contrast that WCAG asks for"


def luminance(page: Any, colour: str) -> float:
    """Relative luminance, as WCAG defines it."""
    draw = """colour => { const c = document.createElement("canvas").getContext("2d");
      c.fillStyle = colour; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; }"""
    shares = [value / 255 for value in page.evaluate(draw, colour)[:3]]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_picture_of_ones_own_is_shown_and_saved(visit: Callable[..., Any], tmp_path: Path) -> None:
    page = visit()
    Image.new("RGB", (300, 100), "red").save(tmp_path / "own.png")
    page.locator("#own input").set_input_files(tmp_path / "own.png")
    page.wait_for_function("document.querySelector('.tg-picture img')?.naturalWidth === 300")
    page.wait_for_function("!location.search.includes('picture=')")
    assert page.locator("#examples input:checked").count() == 0
    with page.expect_download() as download:
        page.get_by_text("Save all as JSON").click()
    record = json.loads(Path(download.value.path()).read_text())
    assert record["opinions"][0]["captions"][0]["caption"] == page.locator("#caption textarea").input_value()
    with page.expect_download() as download:
        page.get_by_text("Save as PNG").first.click()
    assert Image.open(download.value.path()).format == "PNG"
    (tmp_path / "not.png").write_text("no picture")
    page.locator("#own input").set_input_files(tmp_path / "not.png")
    page.wait_for_selector(".tg-error:has-text('not an image of a format that is read')")


def test_the_address_holds_what_is_shown(visit: Callable[..., Any]) -> None:
    page = visit("?caption=two+red+balls&picture=drawn+scene+2")
    assert page.locator("#caption textarea").input_value() == "two red balls"
    assert page.locator(".tg-panel").count() == 1
    page.get_by_label("drawn scene 3").check()
    page.wait_for_function("location.search.includes('picture=drawn+scene+3')")
    shown = page.locator(".tg-unit").all_text_contents()
    again = visit(page.evaluate("location.search"))
    assert again.locator(".tg-unit").all_text_contents() == shown


def test_a_caption_is_text_whatever_it_says(visit: Callable[..., Any]) -> None:
    page = visit("?caption=%3Cimg+src%3Dx+onerror%3D%22window.hit%3D1%22%3E+a+man&picture=photograph")
    assert "<img" in "".join(page.locator(".tg-unit").all_text_contents())
    page.wait_for_timeout(200)
    assert page.evaluate("window.hit") is None
    page = visit("?caption=" + "a" * 600)
    assert "at most 500" in page.locator(".tg-error").text_content()


def test_the_switch_shows_each_subword_in_the_group_that_has_most_of_it(browser: Any) -> None:
    page = browser.new_page()
    model: Any = StandIn()
    html = opinions_html([opinion("m", model, PICTURE, ["man in car"])], PICTURE)
    page.set_content(f"<!doctype html>{head_html()}{html}")

    def strengths() -> list[float]:
        """How much colour each cell of the second subword has: the first group's, then the second's."""
        cells = [page.locator(".tg-share").nth(at) for at in (1, 4)]
        return [float(cell.evaluate("e => getComputedStyle(e).getPropertyValue('--share')")) for cell in cells]

    page.get_by_text("Subwords and groups").click()
    assert strengths() == [0.25, 0.75]
    switch = page.get_by_label("hard: each subword")
    switch.check()
    assert strengths() == [0, 1]
    switch.uncheck()
    assert strengths() == [0.25, 0.75]
    page.close()
