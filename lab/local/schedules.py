"""Fires a rule of EventBridge whose schedule no test can wait for (corrections/event_rules.py)."""

import ssl
import urllib.request

from lab.local.settings import Settings

FIRE_SECONDS = 30


def fire_rule(settings: Settings, rule: str) -> None:
    """Fires a rule of EventBridge that has a schedule, as if it were time (corrections/event_rules.py)."""
    url = f"{settings.endpoint_url}/_ministack/fire-rule/{settings.region}/{rule}"
    trust = ssl.create_default_context(cafile=settings.ca_bundle)
    with urllib.request.urlopen(url, data=b"", timeout=FIRE_SECONDS, context=trust):  # noqa: S310  # https, our own
        pass
