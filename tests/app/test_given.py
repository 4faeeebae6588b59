"""What the page takes, and what it refuses in a line."""

import base64
import io

import pytest
from PIL import Image

from textgroup.app import given
from textgroup.app.given import MAX_CAPTION, PHOTOGRAPH, captions_given, examples, picture_given
from textgroup.errors import InputError


def sent(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def test_a_picture_that_was_sent_goes_before_one_that_was_picked() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 5), "red").save(buffer, "PNG")
    picture = picture_given(sent(buffer.getvalue()), PHOTOGRAPH)
    assert picture is not None
    assert picture.size == (3, 5)
    assert picture_given("", PHOTOGRAPH) is examples()[PHOTOGRAPH].picture
    assert picture_given("", None) is None


def test_every_example_has_a_caption_and_another_within_the_limits() -> None:
    assert len(examples()) == 4
    for example in examples().values():
        assert len(captions_given(example.caption, example.other)) == 2
        assert example.caption != example.other


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (sent(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "not an image of a format"),
        (sent(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "not an image of a format"),
        ("data:image/png;base64,@@@", "did not arrive whole"),
        ("/etc/passwd", "it is empty"),
        ("data:image/png;base64,", "it is empty"),
        ({"path": "/etc/passwd"}, "a dict where a text belongs"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_line(content: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as error:
        picture_given(content, None)
    assert "\n" not in str(error.value)


def test_a_picture_over_the_limit_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "MAX_UPLOAD", 100)
    monkeypatch.setattr(given, "decode", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match="save it smaller"):
        picture_given(sent(b"x" * 110), None)


def test_captions_are_counted_and_bounded() -> None:
    assert captions_given(" a man ", "  ") == ["a man"]
    assert captions_given("a" * MAX_CAPTION, None) == ["a" * MAX_CAPTION]
    with pytest.raises(InputError, match=f"{MAX_CAPTION + 1} characters"):
        captions_given("a man", "a" * (MAX_CAPTION + 1))
    with pytest.raises(InputError, match="no caption"):
        captions_given(" ", "a man")
    with pytest.raises(InputError, match="a list where"):
        captions_given(["a man"], None)  # type: ignore[arg-type]


def test_a_picture_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="no picture 'elsewhere': there are photograph"):
        picture_given(None, "elsewhere")
