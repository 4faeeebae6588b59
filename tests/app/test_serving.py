"""The page's server: it answers this machine with the page, and with nothing else."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.stand_in import StandIn
from textgroup.app.serving import MAX_BODY, serve
from textgroup.cli import main
from textgroup.errors import InputError

pytest.importorskip("gradio", reason="the page needs gradio: pip install 'textgroup[app]'")
LOCAL = "127.0.0.1"
SECRET = "what nobody may read"


def free_port() -> int:
    with socket.create_server((LOCAL, 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """The names of machines that are asked for."""
    return []


@pytest.fixture(scope="module")
def port(asked: list[str]) -> Iterator[int]:
    """The page on a port of its own."""
    found, look_up = free_port(), socket.getaddrinfo

    def note(host: Any, *rest: Any, **more: Any) -> Any:
        asked.append(host.decode() if isinstance(host, bytes) else str(host))
        return look_up(host, *rest, **more)

    model: Any = StandIn()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", note)
        page = serve({"packaged": model}, LOCAL, found, block=False)
        yield found
        page.close()


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, str, Any]:
    """Status, text and headers; the path as it stands."""
    connection = http.client.HTTPConnection(LOCAL, port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace"), answer.headers
    finally:
        connection.close()


def test_the_page_is_there_and_holds_its_style_and_script(port: int) -> None:
    status, text, headers = ask(port, "/")
    assert status == 200
    assert 'content="TextGroup"' in text
    assert ".tg-region" in text
    assert "connect-src 'self'" in headers["content-security-policy"]


def test_nothing_on_the_page_tells_of_places_on_the_server(port: int) -> None:
    places = {str(Path.cwd()), str(Path.home()), str(Path(__file__).parents[2]), "/tmp", "/usr"} - {"/"}
    for path in ("/", "/config", "/gradio_api/info", "/nowhere"):
        text = ask(port, path)[1]
        assert not [place for place in places if place in text], path


@pytest.mark.parametrize("prefix", ["", "/gradio_api"])
@pytest.mark.parametrize(
    "before", ["/file=", "/file/", "/file%3D", "//file=", "/proxy=http://", "/static/", "/assets/"]
)
def test_no_file_can_be_read(port: int, tmp_path: Path, prefix: str, before: str) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    for where in (tmp_path / "secret.txt", "/etc/passwd", f"{'../' * 12}etc/passwd", f"{'%2e%2e/' * 12}etc/passwd"):
        status, text, _ = ask(port, f"{prefix}{before}{where}")
        assert status in (400, 403, 404), where
        assert SECRET not in text
        assert "root:" not in text


@pytest.mark.parametrize(
    "path", ["upload", "file=http://127.0.0.1/", "proxy=http://127.0.0.1/", "stream/a/b/c/d", "monitoring"]
)
def test_what_the_page_does_not_need_is_refused(port: int, path: str) -> None:
    assert ask(port, f"/gradio_api/{path}")[0] == 403
    assert ask(port, f"/gradio_api/{path}", "POST", b"{}")[0] == 403


def test_a_request_that_is_too_large_is_refused_unread(port: int) -> None:
    assert ask(port, "/gradio_api/queue/join", "POST", **{"Content-Length": str(MAX_BODY + 1)})[0] == 413
    assert ask(port, "/gradio_api/queue/join", "POST", **{"Transfer-Encoding": "chunked"})[0] == 413


def test_another_name_for_this_machine_is_refused(port: int) -> None:
    """A page elsewhere whose name is made to lead to this machine could read ours."""
    assert ask(port, "/", Host="evil.example")[0] == 400
    assert ask(port, "/", Host=f"localhost:{port}")[0] == 200


def test_a_path_in_place_of_a_picture_is_refused(port: int) -> None:
    """The event behind the button, called by hand."""
    config = json.loads(ask(port, "/config")[1])
    show = next(event["id"] for event in config["dependencies"] if len(event["inputs"]) == 4)
    data = ["a man", "", None, {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]
    body = json.dumps({"data": data, "fn_index": show, "session_hash": "s"}).encode()
    join = ask(port, "/gradio_api/queue/join", "POST", body, **{"Content-Type": "application/json"})
    assert join[0] == 200, join[1]
    told = ask(port, "/gradio_api/queue/data?session_hash=s")[1]
    assert '"success":false' in told
    assert "root:" not in told
    assert "Traceback" not in told


def test_no_other_machine_is_asked_for_anything(port: int, asked: list[str]) -> None:
    ask(port, "/")
    assert asked
    assert set(asked) <= {LOCAL, "localhost"}


def test_a_port_that_is_in_use_is_named(port: int) -> None:
    with pytest.raises(InputError, match=f"--port {port}: it is in use"):
        serve({}, LOCAL, port, block=False)


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    for words, reason in ((["--port", "0"], "--port 0"), (["-c", "nowhere-at-all"], "nowhere-at-all")):
        assert main(["app", *words]) == 2
        told = capsys.readouterr().err
        assert reason in told
        assert told.count("\n") == 1
