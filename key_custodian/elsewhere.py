"""Calls to other addresses than AWS: always a warning, and refused if key material would be readable on the way.

AWS_ENDPOINT_URL and similar settings (a profile's endpoint_url) choose the server. That server names the wrapping key, and gets
everything that AWS would get. With http:// every machine on the way can read it, too, except for an address of this machine.
`aws.other_address` knows AWS's own addresses.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from key_custodian.errors import refused


def warnings(addresses: Mapping[str, str]) -> tuple[str, ...]:
    """`addresses`: service -> address, only of services that are not asked at AWS. One sentence for each address."""
    services: dict[str, list[str]] = {}
    for service, address in addresses.items():
        services.setdefault(address, []).append(service)
    return tuple(f"NOT AWS: calls to {' and '.join(names)} go to {address}." for address, names in services.items())


def require_unseen(address: str, *, where: str) -> None:
    """Refused (`where`) if others could read a plaintext on its way to `address`. "" is AWS's own address."""
    if not address or urlsplit(address).scheme == "https" or _is_this_machine(address):
        return
    problem = f"The key would go in PLAINTEXT and without TLS to {address}: every machine on the way could read it."
    remedy = "Set an address with https://, or none for AWS itself: AWS_ENDPOINT_URL, and endpoint_url of the profile."
    raise refused(where, problem, remedy)


def _is_this_machine(address: str) -> bool:
    """Only an IP address or localhost counts (RFC 6761, section 6.3): others decide what another name resolves to."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
