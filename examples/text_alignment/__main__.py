"""`python -m examples.text_alignment`: titles, their vectors, an alignment, both evaluated."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from lis_online.cli.exit_codes import INTERRUPTED
from lis_online.errors import LisError


class Model(StrEnum):
    """What makes vectors of titles."""

    minilm = "minilm"
    words = "words"


def main(
    data: Annotated[Path | None, typer.Option(help="A folder in MIND's format; a simulated feed otherwise.")] = None,
    out: Annotated[Path, typer.Option(help="The folder to write to; made where missing.")] = Path("build/example"),
    model: Annotated[Model, typer.Option(help="minilm: a sentence model; words: none.")] = Model.minilm,
    slates: Annotated[int, typer.Option(min=500, help="Impressions of the simulated feed.")] = 12_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same feed.")] = 2,
) -> None:
    """Embed titles, align the vectors on earlier co-clicks, and say what both are worth to a ranker."""
    from examples.text_alignment.cases import mind, simulated
    from examples.text_alignment.embedding import MODELS
    from examples.text_alignment.steps import make_folder, run
    from lis_online.cli.consoles import out_console

    embed = MODELS[model.value]
    try:
        make_folder(out)
        case = simulated(embed, model.value, slates, seed) if data is None else mind(data, embed, model.value)
        run(case, out, out_console())
    except LisError as exc:
        _end(str(exc), 2)
    except KeyboardInterrupt:
        _end(f"stopped; start it again, and it begins anew in {out}", INTERRUPTED)


def _end(sentence: str, code: int) -> NoReturn:
    Console(stderr=True).print(f"example: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


if __name__ == "__main__":
    typer.run(main)
