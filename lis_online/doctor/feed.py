"""Checks of a feed's newest events: do they map, meet in one partition, keep time, and belong to one another?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from lis_online.doctor.finding import Finding
from lis_online.doctor.sample import FEW, Sample
from lis_online.doctor.times import attribution, clocks, lateness
from lis_online.events.topics import MAIN
from lis_online.settings import Settings

MANY: Final = 0.01
"""The share from which something that happens now and then is a warning, and from which it is not made to happen."""

NAMED: Final = 3
"""So many examples."""


def check_feed(settings: Settings, sample: Sample) -> list[Finding]:
    """Return what a sample of the feed shows."""
    return [
        *messages(sample),
        *partitions(sample),
        *clocks(settings, sample),
        *lateness(settings, sample),
        *slates(settings, sample),
        *attribution(settings, sample),
        *duplicates(sample),
        *names(settings, sample),
    ]


def messages(sample: Sample) -> Iterator[Finding]:
    """Yield, of each topic, how many of its messages are events."""
    for topic in MAIN:
        read, refused = sample.read[topic], sum(sample.refused[topic].values())
        if not read:
            yield Finding("messages", "warning", f"{topic} has no messages", "send some, then look again")
        elif refused:
            sentence, times = sample.refused[topic].most_common(1)[0]
            state = "wrong" if refused > MANY * read else "warning"
            said = f"{refused} of {read} messages of {topic} are refused, {times} of them: {sentence}"
            yield Finding("messages", state, said, f"look at them with `lis-online topics peek {topic}`")  # type: ignore[arg-type]
        else:
            yield Finding("messages", "ok", f"all {read} messages of {topic} are read")


def partitions(sample: Sample) -> Iterator[Finding]:
    """Yield whether a user's impressions and feedback are in partitions of the same number."""
    homes: dict[str, dict[str, set[int]]] = {}
    for topic in MAIN:
        homes[topic] = defaultdict(set)
        for seen in sample.of(topic):
            homes[topic][seen.event.user_id].add(seen.record.partition)
        split = sum(len(found) > 1 for found in homes[topic].values())
        if split:
            said = f"{split} of {len(homes[topic])} users of {topic} are in several partitions"
            yield Finding("partitions", "wrong", said, f"key {topic} by user id, and let the key choose the partition")
    both = homes["impressions"].keys() & homes["feedback"].keys()
    apart = sum(homes["impressions"][user].isdisjoint(homes["feedback"][user]) for user in both)
    if apart:
        yield Finding(
            "partitions",
            "wrong",
            f"{apart} of {len(both)} users have their feedback in another partition than their impressions",
            "key both topics by the same user id, with the same partitioner and as many partitions: feedback that "
            "lies elsewhere finds no impression",
        )
    elif both:
        yield Finding("partitions", "ok", f"impressions and feedback of all {len(both)} users that have both meet")
    else:
        yield Finding("partitions", "warning", "no user has both impressions and feedback here", _MORE)


_MORE: Final = "take more with --sample; if it stays so, the two topics may have other user ids"


def slates(settings: Settings, sample: Sample) -> Iterator[Finding]:
    """Yield whether feedback belongs to what was shown: the request, the user and the item."""
    shown = {seen.event.request_id: seen.event for seen in sample.impressions}
    known = [(shown[seen.event.request_id], seen.event) for seen in sample.feedback if seen.event.request_id in shown]
    if not known:
        users = {event.user_id for event in shown.values()}
        said = f"none of {len(sample.feedback)} feedback is on one of {len(shown)} requests"
        if sum(seen.event.user_id in users for seen in sample.feedback) >= FEW:
            change = (
                "the two topics have other request ids: map both to the id of what was shown at once, not of a visit"
            )
            yield Finding("slates", "wrong", f"{said}, though their users are the same", change)
        elif sample.feedback and shown:
            change = "take more with --sample; if it stays so, the two topics have other request ids"
            yield Finding("slates", "warning", said, change)
        return
    yield from _orphans(settings, sample, set(shown))
    for what, fits in (
        ("item", [feedback.item_id in impression.items for impression, feedback in known]),
        ("user", [feedback.user_id == impression.user_id for impression, feedback in known]),
    ):
        misses = fits.count(False)
        if misses > MANY * len(fits):
            said = f"{misses} of {len(fits)} feedback on known requests has {what}s that the request does not have"
            yield Finding(
                "slates", "wrong", said, f"give both topics the same {what} ids: such feedback counts nowhere"
            )
        else:
            yield Finding("slates", "ok", f"{len(fits) - misses} of {len(fits)} feedback has the {what} of its request")


def _orphans(settings: Settings, sample: Sample, shown: set[str]) -> Iterator[Finding]:
    """Yield how much feedback is on requests that nobody showed.

    Of that alone which is an attribution window younger than the sample's first impressions: their request is in it.
    """
    first: dict[int, int] = {}
    for seen in sample.impressions:
        first.setdefault(seen.record.partition, seen.event.ts)
    since = max(first.values()) + settings.events.attribution_window
    requests = [seen.event.request_id for seen in sample.feedback if seen.event.ts >= since]
    orphans = sum(request not in shown for request in requests)
    if len(requests) >= FEW and orphans > MANY * len(requests):
        said = f"{orphans} of {len(requests)} feedback is on requests that are not among the impressions"
        change = "are some surfaces, or requests without items, not sent as impressions? Such feedback counts nowhere"
        yield Finding("slates", "warning", said, change)


def duplicates(sample: Sample) -> Iterator[Finding]:
    """Yield how much came twice: it is dropped, and counted."""
    requests = Counter(seen.event.request_id for seen in sample.impressions)
    actions = Counter((e.request_id, e.item_id, e.action, e.ts) for e in (seen.event for seen in sample.feedback))
    for topic, total, different in (
        ("impressions", requests.total(), len(requests)),
        ("feedback", actions.total(), len(actions)),
    ):
        twice = total - different
        if twice > MANY * total and total >= FEW:
            said = f"{twice} of {total} {topic} came again"
            why = "a request id names one slate" if topic == "impressions" else "times that are cut to seconds collide"
            yield Finding("duplicates", "warning", said, f"they are dropped; look whether they are the same: {why}")
        elif total:
            yield Finding("duplicates", "ok", f"{twice} of {total} {topic} came again")


def names(settings: Settings, sample: Sample) -> Iterator[Finding]:
    """Yield which actions, surfaces, experiments and arms the settings do not know."""
    events = settings.events
    actions = Counter(seen.event.action for seen in sample.feedback)
    surfaces = Counter(seen.event.surface for seen in sample.impressions)
    arms = Counter(arm for seen in sample.impressions for arm in seen.event.experiments.items())
    known = {(one.name, arm.name) for one in settings.experiment for arm in one.arm}
    yield from _unknown("actions", actions, set(events.actions), "events.actions, or mapping.feedback.action renames")
    yield from _unknown("surfaces", surfaces, set(events.surfaces), "events.surfaces; others share surface:other")
    declared = {one.name for one in settings.experiment}
    odd = {f"{name}={arm}": n for (name, arm), n in arms.items() if name in declared and (name, arm) not in known}
    yield from _unknown("arms", Counter(odd), set(), "[[experiment.arm]]")
    if len(sample.feedback) >= FEW and not actions[events.label]:
        said = f"none of {len(sample.feedback)} feedback is {events.label!r}, the label"
        yield Finding("names", "wrong", said, "set events.label, or rename in mapping.feedback.action")


def _unknown(what: str, found: Counter[str], known: set[str], where: str) -> Iterator[Finding]:
    odd = Counter({name: count for name, count in found.items() if name not in known})
    if odd:
        listed = ", ".join(f"{name[:40]!r} {count} times" for name, count in odd.most_common(NAMED))
        yield Finding("names", "warning", f"{len(odd)} {what} are not in the settings: {listed}", f"see {where}")
    elif found:
        yield Finding("names", "ok", f"all {len(found)} {what} are in the settings")
