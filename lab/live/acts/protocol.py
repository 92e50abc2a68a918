"""Acts with the probe: what CloudFormation really sends, and when it shows what."""

from collections.abc import Iterator
from typing import Final

from lab.live.act import Act
from lab.live.stage import Stage
from lab.live.verdicts import Finding, judged, not_seen


def service_timeout(stage: Stage) -> Iterator[Finding]:
    """Where ServiceTimeout stands in an event."""
    made = stage.made.stack("timeout", {"Probe": stage.probe.resource(ServiceTimeout="299")})
    received = stage.probe.received(made.stack_id)
    if not received:
        yield not_seen("service-timeout-place", "the probe got no request")
        return
    event = received[0].event
    top, below = event.get("ServiceTimeout"), event["ResourceProperties"].get("ServiceTimeout")
    yield judged(
        "service-timeout-place",
        "ServiceTimeout is a text, at the event's top level and in ResourceProperties",
        f"top level: {top!r}; ResourceProperties: {below!r}",
        holds=(top, below) == ("299", "299"),
        top_level=top,
        property=below,
    )


ACTS: Final[tuple[Act, ...]] = (
    Act(
        "service-timeout",
        "Where ServiceTimeout stands in an event",
        ("service-timeout-place",),
        makes="1 stack",
        deadline_seconds=120,
        play=service_timeout,
    ),
)
