"""What a simulated world is made of: every knob, its unit and its meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceParameters:
    """A preference source of known quality.

    true_share: share of the world's preferred pairs that it publishes, 0 to 1. noise_share: pairs of
    random items that it adds, as a share of the number of preferred pairs.
    """

    name: str
    true_share: float
    noise_share: float = 0.0

    @property
    def quality(self) -> float:
        """What is left of the whole process that makes pairs: 1 for all of it, 0 for noise alone.

        >>> SourceParameters("half", true_share=0.5, noise_share=0.5).quality
        0.5
        """
        return self.true_share


@dataclass(frozen=True)
class VariantParameters:
    """A representation of known quality, 0 (random vectors) to 1 (the content itself), its version "1".

    A vector is the unit content times sqrt(quality) plus unit noise times sqrt(1 - quality).
    """

    name: str
    quality: float


@dataclass(frozen=True)
class VersionParameters:
    """A later version of a variant, from a time on, ms after the world's start.

    At that time the vectors of all live items are published anew; quality as for a variant, 0 is a broken
    one. version: what the records say; "1" replaces without a word. overlap: ms for which the version before
    is still published for new items.
    """

    variant: str
    quality: float
    since: int
    version: str = "2"
    overlap: int = 0


@dataclass(frozen=True)
class CommonParameters:
    """What every kind of world has: sizes, rates (per minute of event time), times (ms), strengths (logits)."""

    # The clock.
    step: int = 60_000
    window: int = 600_000  # the attribution window that feedback stays within
    day_amplitude: float = 0.2  # of traffic around its mean, over 24 h
    # Items.
    items: int = 1_200  # alive at any time
    content: int = 16  # dimensions of the content
    dimension: int = 32  # of the published vectors
    authors: int = 300
    # Users.
    users: int = 3_000
    # Serving.
    slates_per_minute: float = 33.0
    slate: int = 10  # items of a slate, at most
    pool: int = 40  # candidates of a slate
    ranking: float = 0.25  # sigma of the noise on a ranking's score
    memory: float = 0.9  # what a click leaves of the served profile
    # Responses.
    click_delay: float = 20.0  # median, seconds
    like: float = -1.0  # logit of a like after a click, before taste
    collect: float = -2.0
    # Preference pairs, independent of the clicks.
    pairs_per_minute: float = 400.0
    sources: tuple[SourceParameters, ...] = ()
    variants: tuple[VariantParameters, ...] = ()
    versions: tuple[VersionParameters, ...] = ()  # a variant's in order of time
    # The experiment. arms: (name, variant that its slates are ranked by, "" for popularity), users split
    # evenly; without them "control" and "treatment", the latter ranked by the variant `treatment`.
    experiment: str = "mllm-q4"
    treatment: str = ""
    arms: tuple[tuple[str, str], ...] = ()
    truth_from: int = 0  # the arms' truth counts slates from this time on, ms after the start

    @property
    def all_arms(self) -> tuple[tuple[str, str], ...]:
        """The arms with their variants, control first.

        >>> WorldParameters(treatment="good").all_arms
        (('control', ''), ('treatment', 'good'))
        """
        return self.arms or (("control", ""), ("treatment", self.treatment))


@dataclass(frozen=True)
class WorldParameters(CommonParameters):
    """A feed whose users like topics: tastes and contents are points on a sphere, clicks logistic in their cosine."""

    # Items.
    topics: int = 24
    topic_spread: float = 0.6  # noise around a topic's centre, before normalising
    lifetime: int = 8 * 3_600_000  # median
    lifetime_spread: float = 0.5  # sigma of its logarithm
    topics_per_category: int = 4
    appeal: float = 0.4  # sigma of the logarithm of an item's popularity
    quality: float = 0.2  # sigma of an item's own click logit
    # Users.
    activity: float = 0.8  # sigma of the logarithm of a user's traffic
    tastes: int = 3  # topics of a user
    taste_noise: float = 0.3  # of a taste around its topics' mixture, before normalising
    drift: float = 0.02  # of a taste each ten minutes, before normalising
    # Responses.
    ads_share: float = 0.25
    base: float = -2.9  # click logit on the feed
    ads_base: float = -3.4
    strength: float = 4.5  # of taste times content
    position: float = 0.06  # lost per position
    # Searches: where preference pairs come from.
    search_pool: int = 200  # items that a search looks at
    search_taste: float = 8.0  # sharpness of the first item's choice
    search_match: float = 14.0  # sharpness of the second item's likeness to the first
