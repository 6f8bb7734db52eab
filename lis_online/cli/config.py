"""`lis-online config`: the settings, checked."""

from __future__ import annotations

import typer

from lis_online.cli.app import App
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.settings import load

app = App(name="config", help="The settings file.")


@app.command()
def check(as_json: AsJson = False, config: Config = None) -> None:
    """Name every wrong key, its rule and its value, or say what the settings ask for.

    Example: lis-online config check -c lis-online.toml
    """
    from lis_online.events.person_hashes import UNKEYED
    from lis_online.metrics.layout import Layout

    settings = load(config)
    layout = Layout.of(settings)
    layout = layout.take(layout.firsts())  # a second version's rankers come with its first vector
    counts = {
        "preference sources": len(layout.sources),
        "variants": len(settings.variant),
        "experiments": len(settings.experiment),
        "rankers": len(layout.rankers),
        "slices": len(layout.slices),
    }
    if as_json:
        print_json({name.replace(" ", "_"): count for name, count in counts.items()})
    else:
        *asked, rankers, slices = (f"{count} {name}" for name, count in counts.items())
        typer.echo(f"settings are good: {', '.join(asked)}; {rankers} in {slices}")
    if settings.privacy.user_key is None:
        typer.echo(f"lis-online: {UNKEYED}", err=True)


@app.command()
def show(config: Config = None) -> None:
    """Print every setting with its value, secrets masked, as JSON. Durations are in milliseconds.

    Example: lis-online config show -c lis-online.toml
    """
    typer.echo(load(config).model_dump_json(indent=2))
