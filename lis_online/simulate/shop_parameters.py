"""What a simulated shop is made of."""

from __future__ import annotations

from dataclasses import dataclass

from lis_online.simulate.parameters import CommonParameters


@dataclass(frozen=True)
class ShopParameters(CommonParameters):
    """A shop whose users assemble projects: times in ms, strengths in logits, rates per minute of event time.

    strength 0 is a shop without preference: clicks depend on the items' own quality and on what is looked at.
    """

    items: int = 1_000
    content: int = 24
    users: int = 1_500
    window: int = 2 * 60_000
    pairs_per_minute: float = 1_000.0
    slate: int = 30  # items of a slate are shortest to slate, evenly
    pool: int = 60
    slates_per_minute: float = 60.0
    click_delay: float = 8.0
    # Items: members of projects, each in a role; those of one project in different roles go together.
    projects: int = 40
    roles: int = 12
    second: float = 0.3  # share of items that belong to a second project as well
    zipf: float = 0.8  # popularity is rank to the power of minus this
    quality: float = 0.2  # sigma of an item's own logit
    lifetime: int = 30 * 86_400_000  # mean
    bursts_per_hour: float = 4.0  # in the whole shop
    burst_length: int = 20 * 60_000  # mean
    burst_shown: float = 20.0  # times as often a candidate, while a burst lasts
    burst_bought: float = 20.0  # times as often in a preference pair
    burst_logit: float = 0.0
    # Users.
    heavy: float = 2.0  # the tail index of the users' traffic (Pareto)
    heaviest: float = 40.0  # the most of it, in units of the least
    session: float = 3.0  # mean slates
    pause: int = 90_000  # mean between the slates of a session
    at_once: int = 2  # projects of a user at any time
    project_sessions: float = 6.0  # mean sessions until a project gives way to another
    taste: float = 0.25  # sigma of a user's liking of a role, in units of strength
    related: float = 0.3  # share of the candidates from the user's projects
    # Responses: items are looked at from the top down (dynamic Bayesian network click model, Chapelle and Zhang 2009).
    shortest: int = 5
    base: float = -2.4
    strength: float = 3.0  # of an item that goes with the user's project
    after_skip: float = 0.98  # chance to look at the next item
    after_click: float = 0.85
