"""Serving the page: to this machine unless told otherwise, nothing but the page, nothing to anybody else."""

import errno
import os
import re
import socket
from collections.abc import Mapping
from typing import Any

from textgroup.app.given import MAX_UPLOAD
from textgroup.app.view import head_html
from textgroup.errors import InputError
from textgroup.inference.textgroup import TextGroup

LOOPBACK = ("127.0.0.1", "localhost")
MAX_BODY = 2 * MAX_UPLOAD
"""Bytes of a request: a picture in base64, and captions."""
REFUSED = re.compile(r"(?!/assets/).*/(file|proxy|upload|stream|deep_link|monitoring|custom_component)\b")
"""Paths of gradio's that the page does not need: they read files, write them, or ask other servers."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; connect-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The browser is told to ask no other server for anything. gradio makes functions of text, hence `unsafe-eval`."""


class Guard:
    """In front of gradio: refuses what the page does not need, and adds `HEADERS`."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or answer it."""
        from starlette.responses import PlainTextResponse

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                told = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *told]}
            await send(message)

        if scope["type"] == "http":
            headers = dict(scope["headers"])
            length = headers.get(b"content-length", b"0")
            if REFUSED.match(scope["path"]):
                return await PlainTextResponse("refused", 403)(scope, receive, send_with_headers)
            if b"transfer-encoding" in headers or not length.isdigit() or int(length) > MAX_BODY:
                return await PlainTextResponse("too large", 413)(scope, receive, send_with_headers)
        return await self.app(scope, receive, send_with_headers)


def serve(models: Mapping[str, TextGroup], host: str, port: int, *, block: bool = True) -> Any:
    """Serve the page until interrupted; with `block` false, return the page, whose `close()` ends it.

    Raises `InputError` where gradio is missing, or the port cannot be had.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
    try:
        import gradio
    except ImportError:
        raise InputError("textgroup app needs gradio: pip install 'textgroup[app]'") from None
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from textgroup.app.page import make_page

    _check_port(host, port)
    hosts = [*LOOPBACK] if host in LOOPBACK else ["*"]  # a page elsewhere must not reach ours by a name of its own
    page = make_page(models)
    page.launch(
        server_name=host,
        server_port=port,
        head=head_html(),
        theme=gradio.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        app_kwargs={"middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=hosts), Middleware(Guard)]},
        footer_links=[],
        share=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        run_history=False,
        show_error=False,
        quiet=True,
        prevent_thread_lock=not block,
    )
    return page


def _check_port(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise InputError(f"--host {host} --port {port}: {reason}; give another") from None
