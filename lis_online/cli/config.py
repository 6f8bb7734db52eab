"""`lis-online config`: the settings, checked."""

from __future__ import annotations

import typer

from lis_online.cli.options import Config
from lis_online.settings import load

app = typer.Typer(name="config", help="The settings file.", no_args_is_help=True)


@app.command()
def check(config: Config = None) -> None:
    """Name every wrong key, its rule and its value, or say what the settings ask for."""
    from lis_online.events.person_hashes import UNKEYED
    from lis_online.metrics.layout import Layout

    settings = load(config)
    layout = Layout.of(settings)
    layout = layout.take(layout.firsts())  # a second version's rankers come with its first vector
    typer.echo(
        f"settings are good: {len(layout.sources)} preference sources, {len(settings.variant)} variants, "
        f"{len(settings.experiment)} experiments; {len(layout.rankers)} rankers in {len(layout.slices)} slices"
    )
    if settings.privacy.user_key is None:
        typer.echo(f"lis-online: {UNKEYED}", err=True)


@app.command()
def show(config: Config = None) -> None:
    """Print every setting with its value, secrets masked, as JSON. Durations are in milliseconds."""
    typer.echo(load(config).model_dump_json(indent=2))
