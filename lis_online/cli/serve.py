"""`lis-online serve`: the history over HTTP."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from lis_online.cli.options import Config
from lis_online.settings import load


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen at; `http.host` where none is given.")] = None,
    port: Annotated[
        int, typer.Option(help="Port; 0 takes a free one, and the log says which.", min=0, max=65535)
    ] = 9465,
    config: Config = None,
) -> None:
    """Answer questions to the history over HTTP until Ctrl-C: reviews, ranges of LIS, arms. It only reads.

    A process of its own, so that a long range does not hold up a worker. An address beyond this machine needs
    http.token and a certificate, as a worker's does. A review is then at
    http://127.0.0.1:9465/api/v1/reviews/mllm-q4?format=html

    Example: lis-online serve -c lis-online.toml
    """
    settings = load(config)
    from lis_online.api.server import serve as answer

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    answer(settings, host, port)
