"""Where calls go, if not to AWS: always a warning, and refused where key material would go there for everybody to read.

AWS_ENDPOINT_URL and settings like it (a profile's endpoint_url) decide whom the tool asks. Whoever answers there names the
wrapping key, and gets what AWS would get. An address of http:// shows it to every machine on the way, too; to this machine
itself nothing is on the way. What AWS's own addresses are, `aws.other_address` knows.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from key_custodian.errors import refused


def warnings(addresses: Mapping[str, str]) -> tuple[str, ...]:
    """`addresses`: service -> where it is asked, of those that are not asked at AWS. One sentence for each address."""
    services: dict[str, list[str]] = {}
    for service, address in addresses.items():
        services.setdefault(address, []).append(service)
    return tuple(
        f"NOT AWS: what is meant for {' and '.join(names)} goes to {address}." for address, names in services.items()
    )


def require_unseen(address: str, *, where: str) -> None:
    """Refused (`where`) where a plaintext sent to `address` could be read on its way. "" is AWS's own."""
    if not address or urlsplit(address).scheme == "https" or _is_this_machine(address):
        return
    problem = f"The key would go in PLAINTEXT and without TLS to {address}: every machine on the way could read it."
    remedy = "Give an address of https://, or none, for AWS itself: AWS_ENDPOINT_URL, and endpoint_url of the profile."
    raise refused(where, problem, remedy)


def _is_this_machine(address: str) -> bool:
    """By the address itself: a name is resolved by others, but for localhost (RFC 6761, section 6.3)."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
