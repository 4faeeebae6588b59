"""`textgroup app`: a web page to look at units and where they are."""

import sys
from collections.abc import Sequence

from textgroup.cli.common import Parser, device_option
from textgroup.errors import InputError


def app(words: Sequence[str]) -> None:
    """`textgroup app`."""
    parser = Parser(
        "textgroup app", description="Serve a web page: captions on pictures, their units linked to their regions."
    )
    parser.add_argument(
        "-c",
        "--checkpoint",
        action="append",
        default=[],
        help="checkpoint or run directory, or Hub name, to show beside the packaged one; may be given several times",
    )
    device_option(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1, this machine)")
    parser.add_argument("--port", type=int, default=7860, help="(default: 7860)")
    options = parser.parse_args(words)
    if not 1 <= options.port <= 65535:
        raise InputError(f"--port {options.port}: give one from 1 to 65535")
    from textgroup.app.comparing import load_models
    from textgroup.app.serving import LOOPBACK, serve

    models = load_models(options.checkpoint, options.device)
    if options.host not in LOOPBACK:
        told = "whoever reaches this machine can use the page"
        print(f"textgroup: --host {options.host}: {told}; there is no password", file=sys.stderr)
    print(f"textgroup: http://{options.host}:{options.port}   (Ctrl+C ends it)", file=sys.stderr)
    serve(models, options.host, options.port)
