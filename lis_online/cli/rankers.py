"""`lis-online rankers`: networks to rank with, and the rankers of a running group."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from lis_online.cli.app import App
from lis_online.cli.completions import networks, rankers
from lis_online.cli.consoles import out_console
from lis_online.cli.exit_codes import FOUND
from lis_online.cli.options import AsJson, Config, print_json
from lis_online.cli.progress import waited, waiting
from lis_online.errors import UsageError
from lis_online.settings import Settings, load

if TYPE_CHECKING:
    from lis_online.metrics.layout import Layout
    from lis_online.rankers.contract import Finding
    from lis_online.rankers.network import Shape

app = App(name="rankers", help="Networks to rank with, and the rankers of a running group.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Name the networks that come with lis-online, and where each is written.

    Example: lis-online rankers list
    """
    from lis_online.rankers.shipped import DEFAULT, SHIPPED

    if as_json:
        print_json({name: {"place": place, "default": name == DEFAULT} for name, place in SHIPPED.items()})
        return
    for name, place in SHIPPED.items():
        typer.echo(f"{name:<14} {place}{' (the default)' if name == DEFAULT else ''}")


@app.command()
def check(
    ranker: Annotated[str, typer.Argument(autocompletion=networks, help="A shipped name, or package.module:factory.")],
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Try a network on every rule of the contract.

    Exit code 0: it keeps them all; 1: one is broken.

    Example: lis-online rankers check my_pkg.rank:deepfm
    """
    from lis_online.rankers.contract import findings
    from lis_online.rankers.device import choose_device
    from lis_online.rankers.load import untried_network
    from lis_online.rankers.shipped import DEFAULT
    from lis_online.rankers.timing import step_times

    settings = load(config)
    device = choose_device("cpu")
    shape = _shape(settings)
    network = untried_network(ranker, shape, device)
    console = out_console()
    found = []
    for finding in waited(findings(network), "trying the rules"):
        found.append(finding)
        if not as_json:
            _show(console, finding)
    broken = sum(one.broken is not None for one in found)
    times = None
    if not broken:
        with waiting("timing a step"):
            times = step_times([network, untried_network(DEFAULT, shape, device)], time.process_time)
    if as_json:
        print_json(_document(found, times))
    elif times is not None:
        own, default = times
        console.print(
            f"a step of 10 rankers on 512 samples takes {1e3 * own:.1f} ms of a core, {DEFAULT} {1e3 * default:.1f} ms",
            soft_wrap=True,
        )
    else:
        console.print(f"{broken} {'rule is' if broken == 1 else 'rules are'} broken", style="bold red")
    if broken:
        raise typer.Exit(FOUND)


def _document(found: list[Finding], times: list[float] | None) -> dict[str, Any]:
    """Return what was found as JSON. times: s of a step, of this network and the default; None where a rule broke."""
    rules = [{"rule": one.rule.name, "sentence": one.rule.sentence, "broken": one.broken} for one in found]
    own, default = (None, None) if times is None else times
    return {"rules": rules, "step_seconds": own, "default_step_seconds": default}


def _shape(settings: Settings) -> Shape:
    """Return the sizes that the settings ask for, with small tables: no rule is about those."""
    from lis_online.rankers.counts import KINDS
    from lis_online.rankers.inputs import dense_width
    from lis_online.rankers.load import SMALL
    from lis_online.rankers.network import Shape
    from lis_online.shards.rank_features import SIDE

    training = settings.training
    width = dense_width(len(settings.events.surfaces), KINDS * len(training.half_lives))
    return Shape(SMALL, training.embedding, tuple(training.hidden), width, SIDE)


def _show(console: Console, finding: Finding) -> None:
    mark, style = ("pass", "green") if finding.broken is None else ("FAIL", "bold red")
    console.print(Text.assemble((mark, style), f"  {finding.rule.name}: {finding.rule.sentence}"), soft_wrap=True)
    if finding.broken is not None:
        for word, sentence in (("found", finding.broken), ("change", finding.rule.advice)):
            console.print(Text(f"      {word}: {sentence}"), soft_wrap=True)


@app.command()
def reset(
    names: Annotated[
        list[str],
        typer.Argument(autocompletion=rankers, help="Rankers as the numbers name them, such as leaked:coclick."),
    ],
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Start rankers of the running group again: like the unleaked one; that one and its twin from their seed.

    Example: lis-online rankers reset leaked:coclick -c lis-online.toml
    """
    from lis_online.metrics.layout import Layout
    from lis_online.replay.control import count_shards, send_reset
    from lis_online.replay.producer import producer_of

    settings = load(config)
    _check_names(names, Layout.of(settings))
    kafka, wanted = settings.kafka, list(dict.fromkeys(names))
    shards = count_shards(kafka)
    producer = producer_of(kafka)
    try:
        topic = send_reset(kafka, producer, shards, wanted)
    finally:
        producer.close(timeout=5)
    if as_json:
        print_json({"topic": topic, "partitions": shards, "rankers": wanted})
        return
    noun = "partition" if shards == 1 else "partitions"
    typer.echo(f"asked {shards} {noun} of {topic} to start again: {', '.join(wanted)}")


def _check_names(names: list[str], layout: Layout) -> None:
    """Refuse what no group of these settings has: which versions there are is known to the group alone."""
    from lis_online.metrics.layout import PER_VARIANT, SLOT
    from lis_online.metrics.version_keys import SIGN

    versioned = {f"{kind}:{variant}" for variant in layout.variant_of for kind in PER_VARIANT}
    for name in names:
        plain, _, version = name.partition(SIGN)
        if name not in layout.rankers and not (version and plain in versioned):
            known = ", ".join(ranker for ranker in layout.rankers if SLOT not in ranker)
            older = f" ({min(versioned)}{SIGN}VERSION for an older version)" if versioned else ""
            raise UsageError(f"ranker must be one of {known}{older}, got {name!r}")
