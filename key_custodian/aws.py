"""AWS for the commands: clients, and AWS's errors as sentences. Only this module uses boto3.

boto3 is imported for the first client, so commands that need no network do not need it. Credentials, profile, Region and
endpoints come from the same places as for the AWS CLI, unless --profile or --region is given.

An error keeps AWS's code and text, and adds the most frequent cause and its remedy. These are the function's own words
(`imported_key_material/aws/meanings.py`), or words for a person with credentials. Source of the codes: the API references of
KMS, Secrets Manager and STS.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from imported_key_material.aws import meanings
from imported_key_material.aws.meanings import FAILED_INSIDE, UNKNOWN, Meaning
from imported_key_material.errors import Fault, ServiceRefused
from key_custodian import answers, forms

Answer = TypeVar("Answer")


class CallRefused(ServiceRefused):
    """AWS refused the call. `request_id`: the call's id in CloudTrail, "" where AWS gave none."""

    request_id = ""


class Unanswered(CallRefused):
    """No answer came, or the service failed. AWS may have executed the call."""


CONNECT_TIMEOUT_SECONDS: Final = 10
READ_TIMEOUT_SECONDS: Final = 30
TRIES_PER_CALL: Final = 3
_GLOBAL: Final = ("sts", "https://sts.amazonaws.com")  # AWS_STS_REGIONAL_ENDPOINTS=legacy

_SIGN_IN: Final = "Sign in as for the AWS CLI, or name a profile: --profile."
_PASSING: Final = "This passes by itself. Run it again."
_WRONG_SIGNATURE: Final = Meaning(
    "The secret access key does not belong to the access key id, or this machine's clock is wrong.", _SIGN_IN
)
_THROTTLED: Final = Meaning("Too many calls in this account and Region.", _PASSING)

# code, or "service:Operation code" where the code has another meaning for one operation
_MEANINGS: Final[Mapping[str, Meaning]] = {
    **meanings.FOR_EVERYBODY,
    **meanings.passing(_PASSING),
    # --- rights and credentials
    "AccessDeniedException": Meaning(
        "These credentials have no permission for it, or the policy of the key or secret refuses it.",
        "Ask its owner for the right, or use other credentials: --profile.",
    ),
    "AccessDenied": Meaning("These credentials have no permission for it.", "Use other credentials: --profile."),
    "ExpiredTokenException": Meaning("The credentials have expired.", "Sign in again."),
    "ExpiredToken": Meaning("The credentials have expired.", "Sign in again."),
    "UnrecognizedClientException": Meaning("AWS does not know these credentials.", _SIGN_IN),
    "InvalidClientTokenId": Meaning("AWS does not know these credentials.", _SIGN_IN),
    "InvalidSignatureException": _WRONG_SIGNATURE,
    "SignatureDoesNotMatch": _WRONG_SIGNATURE,
    # --- KMS
    "NotFoundException": Meaning(
        "There is no such key in this account and Region.",
        "Check the id, and --region: a key id is valid only in its own Region.",
    ),
    "InvalidArnException": Meaning(
        "KMS can't read the ARN, or the ARN is in another Region.", "Check it, and --region."
    ),
    "InvalidKeyUsageException": Meaning("The key's usage or spec does not fit.", "Check which key is named."),
    "UnsupportedOperationException": Meaning("The key's spec does not fit.", "Check which key is named."),
    "InvalidCiphertextException": Meaning(
        "It was wrapped under another key, or for another secret's name.", "Wrap it for this key and this secret."
    ),
    # --- Secrets Manager
    "ResourceNotFoundException": Meaning(
        "There is no such secret in this account and Region.",
        "Check the name, and --region. A secret of another account needs its full ARN.",
    ),
    "ResourceExistsException": Meaning(
        "A secret or version of this name exists already, with another value.",
        "Run it again: the plan shows what exists.",
    ),
    "InvalidRequestException": Meaning(
        "The secret's present state does not allow it; often it is marked for deletion.",
        "Look at it with aws secretsmanager describe-secret; restore-secret cancels a deletion.",
    ),
    "InvalidParameterException": Meaning(
        "Secrets Manager does not take these values.", "Check the name, the stacks and the KMS key."
    ),
    "EncryptionFailure": Meaning(
        "Secrets Manager can't encrypt with the secret's KMS key.",
        "Look at the key's state and policy, and whether these credentials may use it (kms:GenerateDataKey, kms:Decrypt).",
    ),
    "DecryptionFailure": Meaning(
        "Secrets Manager can't decrypt with the secret's KMS key.", "Look at the state and policy of that key."
    ),
    "LimitExceededException": Meaning("A quota is used up.", "See Service Quotas."),
    "secretsmanager:PutSecretValue LimitExceededException": Meaning(
        "The secret has all the versions or stages that it may have (20 stages on all versions together).",
        "Remove the stages of versions that no key needs any more: aws secretsmanager update-secret-version-stage.",
    ),
    # --- any service
    "ThrottlingException": _THROTTLED,
    "Throttling": _THROTTLED,
    "ValidationException": Meaning("AWS does not take these values.", "Check the names and ids that were given."),
    # --- botocore, before or instead of an answer
    "NoCredentialsError": Meaning("There are no credentials.", _SIGN_IN),
    "PartialCredentialsError": Meaning("The credentials are not complete.", _SIGN_IN),
    "UnauthorizedSSOTokenError": Meaning("The session of IAM Identity Center has expired.", "aws sso login."),
    "SSOTokenLoadError": Meaning("There is no session of IAM Identity Center.", "aws sso login."),
    "ProfileNotFound": Meaning("", "aws configure list-profiles lists them."),
    "InvalidRegionError": Meaning("", "Name a Region, such as eu-central-1: --region."),
    "NoRegionError": Meaning("", "Name the Region: --region."),
    "InvalidEndpointConfigurationError": Meaning("", "Check --region, and AWS_ENDPOINT_URL."),
    "EndpointConnectionError": Meaning(
        "", "Check the network, and --region. Wrapping under a public key file needs no network."
    ),
}
_FAILED_INSIDE: Final = Meaning(FAILED_INSIDE, _PASSING)
_UNREADABLE: Final = Meaning("Often a proxy answers in its place.", "Check the network, and AWS_ENDPOINT_URL.")
_NO_ANSWER: Final = Meaning("", "Check the network, then run it again.")


@dataclass(frozen=True)
class Connection:
    """The profile and the Region; None: as the AWS CLI chooses. Its clients share one session. `tries`: of each call."""

    profile: str | None = None
    region: str | None = None
    tries: int = TRIES_PER_CALL

    def client(self, service: str) -> Any:
        """A boto3 client, such as "kms" or "sts". CallRefused where there is no profile or no Region."""
        from botocore.config import Config  # noqa: PLC0415  # not needed offline
        from botocore.exceptions import BotoCoreError, InvalidEndpointConfigurationError  # noqa: PLC0415  # not needed offline

        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": self.tries},
            user_agent_extra="key-custodian",
        )

        def connect() -> Any:
            try:
                return self._session.client(service, config=config)
            except BotoCoreError:
                raise
            except ValueError as error:  # botocore's error for an invalid address
                raise InvalidEndpointConfigurationError(msg=str(error)) from None

        return call(f"connecting to {service}", connect, where="--region" if self.profile is None else "--profile")

    @functools.cached_property
    def _session(self) -> Any:
        import boto3  # noqa: PLC0415  # not needed offline

        return boto3.session.Session(profile_name=self.profile, region_name=self.region)


def other_address(client: Any, service: str) -> str:
    """Where the client asks, if that is not AWS's public endpoint of the service and Region; else "".

    A name under amazonaws.com is not enough: anybody's machines and functions have names there, too.
    """
    from botocore.loaders import Loader  # noqa: PLC0415  # not needed offline

    url = urlsplit(client.meta.endpoint_url)
    partitions = Loader().load_data("partitions")["partitions"]
    suffixes = {one["outputs"][name] for one in partitions for name in ("dnsSuffix", "dualStackDnsSuffix")}
    own = rf"https://{service}(-fips)?\.{re.escape(client.meta.region_name)}\.({'|'.join(map(re.escape, suffixes))})/?"
    if re.fullmatch(own, url.geturl()) or (service, url.geturl()) == _GLOBAL:
        return ""
    return str(url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="").geturl())


def call(operation: str, what: Callable[[], Answer], *, where: str) -> Answer:
    """Runs one call. `operation`: "kms:Encrypt"; `where`: the option that needs it.

    Raises CallRefused or Unanswered with AWS's code and text, without the exception, which holds the whole answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError  # noqa: PLC0415  # as above
    from botocore.exceptions import ConnectionError as NotConnectedError  # noqa: PLC0415  # as above
    from botocore.parsers import ResponseParserError  # noqa: PLC0415  # as above

    try:
        answer = what()
        odd = answers.odd_field(operation, answer)
        if not odd:
            return answer
        problem = f"{operation} got an answer that is not from AWS: its {odd} does not have AWS's form."
        failure = _Failure(Unanswered, "OddAnswer", problem, _UNREADABLE)
    except ClientError as error:
        failure = _refusal(operation, error.response)
    except BotoCoreError as error:
        was_sent = isinstance(error, HTTPClientError | NotConnectedError | IncompleteReadError)
        problem = f"{operation} failed: {_sentence(str(error))}"
        failure = _Failure(Unanswered if was_sent else CallRefused, type(error).__name__, problem, _NO_ANSWER)
    except ResponseParserError as error:  # its text holds the answer, which may hold anything
        problem = f"{operation} got an answer that is not from AWS."
        failure = _Failure(Unanswered, type(error).__name__, problem, _UNREADABLE)
    code = failure.code
    meaning = failure.denied or _MEANINGS.get(f"{operation} {code}") or _MEANINGS.get(code) or failure.fallback
    problem = f"{failure.problem} {meaning.cause}".rstrip()
    refused = failure.kind(Fault(where, problem, meaning.remedy), operation=operation, code=code)
    refused.request_id = failure.request_id
    raise refused


class _Failure(NamedTuple):
    """A failed call. `fallback`: the meaning of a code that is in no table; `denied`: an explicit Deny."""

    kind: type[CallRefused]
    code: str
    problem: str
    fallback: Meaning
    denied: Meaning | None = None
    request_id: str = ""


def _refusal(operation: str, response: Mapping[str, Any]) -> _Failure:
    code = _match_or(forms.CODE, response.get("Error", {}).get("Code"), "Unknown")
    text = str(response.get("Error", {}).get("Message", ""))
    message = _sentence(text)
    failed_inside = _status(response) >= 500
    return _Failure(
        kind=Unanswered if failed_inside else CallRefused,
        code=code,
        problem=f"{operation} was refused with {code}" + (f": {message}" if message else "."),
        fallback=_FAILED_INSIDE if failed_inside else UNKNOWN,
        denied=meanings.denial(code, text, who="these credentials"),
        request_id=request_id(response),
    )


def request_id(answer: Mapping[str, Any]) -> str:
    """The call's id in CloudTrail; "" where AWS gave none."""
    return _match_or(forms.REQUEST_ID, answer.get("ResponseMetadata", {}).get("RequestId"), "")


def date(answer: Mapping[str, Any]) -> str:
    """The time of the answer by AWS's clock, as in HTTP (RFC 9110, section 5.6.7); "" where there is none."""
    return str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""))


def _sentence(text: str) -> str:
    """On one line, with one full stop; a long text is cut."""
    return meanings.sentence(" ".join(text.split()))


def _match_or(form: re.Pattern[str], value: object, otherwise: str) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else otherwise


def _status(response: Mapping[str, Any]) -> int:
    status: int = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status
