"""boto3 sessions whose clients an InProcessAws answers. They are lent: making a client takes longer than a test's calls.

botocore itself builds requests, parses answers, retries and raises errors. Three parts are left out: they cost a third of a
call, and nothing in the lab reads them. These are the signature (no service here checks it; the session shows account and
Region), dateutil's parser of timestamps, and the new endpoint and user agent for each call. `InProcessAws.attach` takes a
session that leaves nothing out.
"""

from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader
from botocore.retries import quota

LOADER = Loader()  # keeps the models that it has read, for all sessions
_OF_BOTOCORE = HierarchicalEmitter()  # every session's handlers: copying them is quick
botocore.session.Session(event_hooks=_OF_BOTOCORE)  # registers them

type BeforeSend = Callable[..., AWSResponse]
_free: dict[tuple[str, str], list["LentSession"]] = {}  # by Region and account


class LentSession(boto3.Session):
    """Makes each client once. `quotas`: what botocore's retries may use up, one for each client."""

    def __init__(self, region: str, account: str) -> None:
        inner = botocore.session.Session(event_hooks=copy(_OF_BOTOCORE), include_builtin_handlers=False)
        inner.register_component("data_loader", LOADER)
        inner.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
        unsigned: Any = lambda **_: UNSIGNED  # noqa: E731  # botocore-stubs knows handlers that return nothing; these answer
        answer: Any = self._answer
        inner.register("choose-signer", unsigned)
        inner.register("before-send", answer)
        super().__init__(
            aws_access_key_id=account,  # 12 digits: services use them as the account
            aws_secret_access_key="not-used",  # noqa: S106  # nothing is signed
            region_name=region,
            botocore_session=inner,
        )
        self.account = account
        self.quotas: list[quota.RetryQuota] = []
        self.before_send: BeforeSend | None = None
        self._credential = f"Credential={account}/20261201/{region}/any/aws4_request"
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service_name: Any, *, config: Config | None = None, **more: Any) -> Any:  # type: ignore[override]  # by name
        """Keeps no client that is made with more than `config`."""
        if more:
            return super().client(service_name, config=config, **more)
        options: Any = config and config._user_provided_options  # type: ignore[attr-defined]  # noqa: SLF001  # there is no other way
        key = (service_name, repr(options and sorted(options.items())))
        if key not in self._clients:
            self._clients[key] = self._remembering_its_quota(
                lambda: super(LentSession, self).client(service_name, config=config)
            )
            _lighten(self._clients[key])
        return self._clients[key]

    def as_new(self) -> None:
        """Gives botocore's retries back what they used up."""
        for each in self.quotas:
            each._available_capacity = each._max_capacity  # type: ignore[attr-defined]  # noqa: SLF001  # there is no other way

    def _answer(self, request: AWSPreparedRequest, event_name: str, **more: object) -> AWSResponse:
        if self.before_send is None:
            raise RuntimeError("This session was given back.")
        request.headers["authorization"] = self._credential
        return self.before_send(request, event_name, **more)

    def _remembering_its_quota(self, make: Callable[[], Any]) -> Any:
        made, real = self.quotas, quota.RetryQuota

        class Remembered(real):  # type: ignore[misc,valid-type]  # a class that is only looked up when a client is made
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                made.append(self)

        quota.RetryQuota = Remembered  # type: ignore[misc]  # the same
        try:
            return make()
        finally:
            quota.RetryQuota = real  # type: ignore[misc]  # the same


def lend(region: str, account: str, before_send: BeforeSend) -> LentSession:
    """A session that nobody else uses. `before_send`: carries its requests out."""
    free = _free.get((region, account))
    session = free.pop() if free else LentSession(region, account)
    session.as_new()
    session.before_send = before_send
    return session


def give_back(session: LentSession) -> None:
    session.before_send = None
    _free.setdefault((session.region_name, session.account), []).append(session)


def _lighten(client: Any) -> None:
    """Composes a client's endpoint and user agent only once, since they are the same for each call."""
    resolver, agent = client._ruleset_resolver, client._user_agent_creator  # noqa: SLF001  # there is no other way
    construct, text = resolver.construct_endpoint, agent.to_string()
    known: list[Any] = []

    def construct_once(**call: Any) -> Any:
        if not known:
            known.append(construct(**call))
        return known[0]

    resolver.construct_endpoint = construct_once
    agent.to_string = lambda: text


def _timestamp(value: Any) -> datetime:
    """Parses the two forms that the services here use: seconds since 1970, and ISO 8601."""
    return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
