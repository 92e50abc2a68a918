"""Delivers an answer: an HTTPS PUT to the pre-signed ResponseURL, tried again within limits. A failure is never silent.

Rules held here:

- only the request's own address: https only, certificate verified, redirects not followed, the body of the reply not read;
- after a 5xx, a timeout or a cut connection it tries again, with jitter, until the deadline. It sends the same bytes: if
  the lost attempt took effect after all, the next changes nothing. Any other status, or a certificate that is not
  trusted, is final;
- an answer that can't be delivered raises DeliveryFailed, so that Lambda's own retry and on-failure destination take over.
  (An answer that is lost without an error costs the stack an hour.)
- the URL is a credential: log lines and errors have only its host.

It uses urllib3, which boto3 installs. http.client can't use a proxy that speaks TLS. botocore's own session reads the CA
bundle again for each connection (15 ms), reads bodies to their end, and puts the URL into its errors. Proxies and CA
bundle are found as botocore finds them: if the function reaches KMS, its answer gets out, too.
"""

import logging
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from botocore.httpsession import ProxyConfiguration, get_cert_path
from botocore.utils import get_environ_proxies

from imported_key_material.clock import Backoff, Clock, Deadline, Seen, poll
from imported_key_material.errors import ImportedKeyMaterialError

DELIVERY_MAX_SECONDS: Final = 60.0  # fits into `calls.RESERVE_SECONDS`
ATTEMPT_MAX_SECONDS: Final = 16.0
ATTEMPT_MIN_SECONDS: Final = 1.0  # the first attempt is made even after the deadline
ADDRESSES_MAX: Final = 8  # S3's names have up to eight; urllib3 gives each of them the whole connect timeout
BACKOFF: Final = Backoff(first_seconds=0.5, cap_seconds=8.0)
_DELIVERED: Final = range(200, 300)
_TRY_AGAIN: Final = frozenset({408, 429, *range(500, 600)})

logger = logging.getLogger(__name__)


class DeliveryFailed(ImportedKeyMaterialError):
    """The operator must act: CloudFormation has no answer, and goes on waiting. The text names the host, never the URL."""


class NotSent(Exception):
    """One attempt failed. `problem`: why, without any foreign text; `again`: whether another attempt may succeed."""

    def __init__(self, problem: str, *, again: bool) -> None:
        self.problem = problem
        self.again = again
        super().__init__(problem)


type Send = Callable[[str, bytes, float], int]  # URL, body, seconds for the attempt -> HTTP status; raises NotSent
type Put = Callable[[str, bytes, Deadline], None]  # raises DeliveryFailed


@dataclass(frozen=True, slots=True)
class Delivery:
    """The `Put` in use: tries `send` until the answer is delivered or refused, or the deadline has passed."""

    clock: Clock
    send: Send

    def __call__(self, url: str, body: bytes, deadline: Deadline) -> None:
        host = urlsplit(url).hostname

        def attempt() -> Seen[str]:
            """Why the answer was not delivered; "" once it is."""
            seconds = min(max(deadline.left_seconds(), ATTEMPT_MIN_SECONDS), ATTEMPT_MAX_SECONDS)
            try:
                status = self.send(url, body, seconds)
            except NotSent as not_sent:
                problem, again = not_sent.problem, not_sent.again
            else:
                if status in _DELIVERED:
                    return Seen("", enough=True)
                problem, again = f"HTTP {status}", status in _TRY_AGAIN
            logger.warning("The answer was not delivered to %s: %s.", host, problem)
            return Seen(problem, enough=not again)

        problem = poll(deadline, BACKOFF, attempt).value
        if problem:
            raise DeliveryFailed(
                f"The answer to CloudFormation was not delivered: {host} gave {problem}. The request's address may "
                "have expired. In a VPC the function needs a way to S3: a gateway endpoint whose policy allows "
                "CloudFormation's bucket, or a proxy."
            )


class Https:
    """The `Send` in use: one PUT over the network. It keeps no connection open, since Lambda freezes the process."""

    def __call__(self, url: str, body: bytes, seconds: float) -> int:
        if not url.startswith("https://"):
            raise NotSent("an address that is not https", again=False)
        problem, again = "", True
        try:
            self._tls.sslsocket_class = _socket_that_ends(time.monotonic() + seconds)
            with self._pool(url) as pool:
                response = pool.request(
                    "PUT",
                    url,
                    body=body,
                    headers={"content-type": ""},  # the signature covers none
                    timeout=urllib3.Timeout(connect=seconds / ADDRESSES_MAX, read=seconds),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                response.close()
                return response.status
        except urllib3.exceptions.SSLError as error:
            cause = error.args[0] if error.args else error
            again = not isinstance(cause, ssl.SSLCertVerificationError)
            problem = type(cause).__name__
        except (urllib3.exceptions.HTTPError, OSError) as error:
            problem = type(error).__name__
        # Raised out here: inside `except` the caught error, which knows the URL, would become __context__.
        raise NotSent(problem, again=again)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once in a process, at the first PUT."""
        own_bundle = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
        context = ssl.create_default_context(cafile=own_bundle or get_cert_path(verify=True))
        # As botocore does: Python 3.13's strict check refuses private CAs whose certificates lack key identifiers.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context

    def _pool(self, url: str) -> urllib3.PoolManager:
        proxies = ProxyConfiguration(get_environ_proxies(url))
        proxy_url = proxies.proxy_url_for(url)
        if not proxy_url:
            return urllib3.PoolManager(ssl_context=self._tls)
        headers = proxies.proxy_headers_for(proxy_url)
        return urllib3.ProxyManager(proxy_url, proxy_headers=headers, ssl_context=self._tls)


def _socket_that_ends(at_seconds: float) -> type[ssl.SSLSocket]:
    """A socket whose reads end at a moment of `time.monotonic`. A plain read timeout starts again with every byte."""

    class EndingSocket(ssl.SSLSocket):
        def recv_into(self, *args: Any, **kwargs: Any) -> int:
            self.settimeout(max(at_seconds - time.monotonic(), 0.001))
            return super().recv_into(*args, **kwargs)

    return EndingSocket
