"""The world of one history: AWS in two Regions, the real function in each, stacks, secrets, keys, and who watches them."""

import itertools
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from functools import cache, partial
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_public_key

from imported_key_material import clients, function, wrapping
from imported_key_material.delivery import DeliveryFailed
from imported_key_material.responder import Responder
from imported_key_material.waiting import Deadline
from tests.support.clock import VirtualClock
from tests.support.faults import Moment
from tests.support.in_process import Call
from tests.support.kms.service import Lag, StrictKms
from tests.support.secretsmanager import Secret
from tests.support.simulation.answers import Answers
from tests.support.simulation.aws import CheapAws, SeenCloudFormation, SeenKms, SeenSecrets, WeatherFaults, lighten
from tests.support.simulation.calls import Calls
from tests.support.simulation.ends import Ends
from tests.support.simulation.engine import Stack
from tests.support.simulation.functions import Functions, Weather
from tests.support.simulation.plan import BAD, Declared, Plan, Resources
from tests.support.simulation.requests import Requests
from tests.support.simulation.scheduler import START, Scheduler
from tests.support.simulation.shown import Shown
from tests.support.simulation.truth import Truth
from tests.support.simulation.watch import LAG_SECONDS, TAG, Asked, Watch
from tests.support.transport import Fault

ACCOUNT = "111122223333"
REGIONS = ("eu-central-1", "eu-west-1")
CONSENT = "orders payments"
_USAGE = {"SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT", "HMAC_256": "GENERATE_VERIFY_MAC", "ECC_NIST_P256": "SIGN_VERIFY"}
STALE_SECONDS = 3.0  # how late CloudFormation may show a status
_VERSIONS = 3  # of every secret, besides the bad one
_TOLD = frozenset({"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand"})


@cache
def _aws() -> CheapAws:
    """Clients are made once in a process: what they talk to is exchanged for each history."""
    return CheapAws(VirtualClock())


@cache
def _clients(region: str) -> clients.Clients:
    made = _aws().remembering(lambda: clients.make(_aws().session(region=region, account=ACCOUNT)))
    for field in fields(made):
        lighten(getattr(made, field.name))
    return made


@cache
def _private_key(number: int) -> tuple[bytes, bytes]:
    """PKCS#8 in DER, and the private value in it. The same in every process: seeds must repeat."""
    value = Random(number).getrandbits(250) + 1  # noqa: S311  # below the order of the curve
    der = ec.derive_private_key(value, ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der, value.to_bytes(32, "big")


class World:
    """`every_call`: tell each API call of the function, too."""

    def __init__(self, plan: Plan, *, every_call: bool = False) -> None:
        self.plan = plan
        self.story: list[str] = []
        self.random = Random(plan.seed + 1)  # noqa: S311  # one seed decides everything
        self.scheduler = Scheduler(Random(plan.seed + 2))  # noqa: S311  # the function's jitter
        self.keys: list[str] = []  # key ids
        self.materials: list[tuple[bytes, ...]] = []  # by key: of its secret's good versions
        self.versions: list[tuple[str, ...]] = []  # by key: the ids of its secret's versions, the bad one last
        self.secrets: dict[tuple[int, int], Secret] = {}  # by key and Region
        self.secret_bytes: list[bytes] = []  # what must not get out
        self.unwrap_key = ""
        self.stacks: dict[tuple[str, int], Stack] = {}  # by name and Region; the last one of that name
        self._every_call = every_call
        on = plan.faults
        self.kms = StrictKms(self.scheduler, seed=plan.seed, lag=Lag(probability=0.3, max_seconds=LAG_SECONDS))
        self.secrets_manager = SeenSecrets(self.scheduler, seed=plan.seed)
        self.cloudformation = SeenCloudFormation(self.scheduler, seed=plan.seed)
        self.weather = Weather(
            duplicate=0.3 if "duplicate" in on else 0.0,
            late=0.2 if "late" in on else 0.0,
            crash=0.01 if "crash" in on else 0.0,
            slow=0.05 if "slow" in on else 0.0,
            put_lost=0.15 if "put lost" in on else 0.0,
        )
        if "short" in on:  # little time is left of the invocation's
            self.weather.timeout_seconds = self.random.uniform(100, 400)
        numbers = itertools.count(1)
        self.functions = {
            region: Functions(
                region, self.scheduler, self.random, self.weather, self._build(region), self.tell, numbers
            )
            for region in REGIONS
        }
        truth = Truth(self.scheduler, self.kms)
        self.watch = Watch(self.scheduler, truth, self.functions, self.asked, self.name_of)
        self.watch.lag = timedelta(seconds=LAG_SECONDS if "lag" in on else 0)
        self.calls = Calls(self.watch, self.kms)
        self.answers = Answers(self.watch)
        self.answers.slow = "slow" in on
        self.ends = Ends(self.watch)
        self.secrets_manager.watch = self.cloudformation.watch = self.watch
        self.faults = WeatherFaults(Random(plan.seed + 9), _rates(on))  # noqa: S311  # the same
        self.aws = _aws()
        self.aws.begin(plan.seed)
        self.aws.clock = self.scheduler  # type: ignore[assignment]  # botocore's retries sleep on it
        self.aws.faults = self.faults
        self.aws.calls.clear()
        self.aws.hooks[:] = [self._at_call]
        self.aws.plug(SeenKms(self.kms, self.watch), self.secrets_manager, self.cloudformation)
        lag, self.kms._lag = self.kms._lag, None  # noqa: SLF001  # what was long ago is seen by everybody
        self._make_keys()
        self.kms._lag = lag if "lag" in on else None  # noqa: SLF001  # the same

    # ------------------------------------------------------------------------------------------------------ the story

    def tell(self, who: str, what: str) -> None:
        seconds = (self.scheduler.now() - START).total_seconds()
        self.story.append(f"t={seconds:.1f}s  {who:6}  {what}")

    def name_of(self, arn: str) -> str:
        """A key's name in a story: key A, B, C; the second Region's is the other one's replica."""
        key_id, region = arn.rsplit("/", 1)[-1], arn.split(":")[3]
        if key_id not in self.keys:
            return "the key that unwraps"
        return f"key {'ABCDEFGH'[self.keys.index(key_id)]}{'' if region == REGIONS[0] else ' (replica)'}"

    def _at_call(self, call: Call, moment: Moment) -> None:
        execution = self.watch.execution()
        if execution is None:
            return
        if moment is Moment.BEFORE and (self._every_call or call.operation in _TOLD):
            self.tell("lambda", f"{execution}: {call.operation}")
        self.functions[execution.region].at_call(execution, call.operation, moment)

    # ----------------------------------------------------------------------------------------------- keys and secrets

    def arn(self, key: int, region: int) -> str:
        return f"arn:aws:kms:{REGIONS[region]}:{ACCOUNT}:key/{self.keys[key]}"

    def call_kms(self, operation: str, region: int = 0, **params: Any) -> Any:
        """A person's call."""
        return self.kms.call(operation, params, region=REGIONS[region], account=ACCOUNT)

    def _make_keys(self) -> None:
        tags = [{"TagKey": TAG, "TagValue": CONSENT}]
        self.unwrap_key = self.call_kms("CreateKey", Tags=tags)["KeyMetadata"]["Arn"]
        for index, plan in enumerate(self.plan.keys):
            made = self.call_kms(
                "CreateKey",
                Origin="EXTERNAL",
                KeySpec=plan.spec,
                KeyUsage=_USAGE[plan.spec],
                MultiRegion=plan.multi_region,
                Tags=tags,
            )
            self.keys.append(made["KeyMetadata"]["KeyId"])
            self._make_secret(index)
            if plan.held:
                self.watch.person(self.arn(index, 0), partial(self._import_by_hand, index))

    def _make_secret(self, key: int) -> None:
        if self.plan.keys[key].spec == "ECC_NIST_P256":
            pairs = [_private_key(3 * key + version) for version in range(_VERSIONS)]
            self.materials.append(tuple(der for der, _ in pairs))
            self.secret_bytes += [value for _, value in pairs]
        else:
            self.materials.append(tuple(self.random.randbytes(32) for _ in range(_VERSIONS)))
            self.secret_bytes += self.materials[-1]
        values = [*self.materials[key], b"x" * 31]  # the last one is refused by every check
        if self.plan.keys[key].wrapped:
            context = {TAG: f"{ACCOUNT}/secret-{key}"}
            values = [
                self.call_kms("Encrypt", KeyId=self.unwrap_key, Plaintext=value, EncryptionContext=context)[
                    "CiphertextBlob"
                ]
                for value in values
            ]
        for region, name in enumerate(REGIONS):
            for number, value in enumerate(values):
                secret = self.secrets_manager.put(
                    f"secret-{key}",
                    value,
                    tags={TAG: CONSENT},
                    version_id=f"{key}{number}000000-0000-4000-8000-000000000000",
                    region=name,
                    account=ACCOUNT,
                )
            self.secrets[key, region] = secret
            self.secrets_manager.move_stage(secret, "AWSCURRENT", next(iter(secret.versions)))
        self.versions.append(tuple(secret.versions))

    def _import_by_hand(self, key: int) -> None:
        algorithm, arn = "RSAES_OAEP_SHA_256", self.arn(key, 0)
        parameters = self.call_kms(
            "GetParametersForImport", KeyId=arn, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048"
        )
        public_key = load_der_public_key(parameters["PublicKey"])
        if not isinstance(public_key, RSAPublicKey):
            raise TypeError(algorithm)
        self.call_kms(
            "ImportKeyMaterial",
            KeyId=arn,
            ImportToken=parameters["ImportToken"],
            EncryptedKeyMaterial=wrapping.wrap(algorithm, public_key, self.materials[key][0]),
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        )

    def asked(self, region: str, properties: Mapping[str, Any], version_id: str) -> Asked:
        """What properties mean: by the plan's own tables, not by what the function makes of them."""
        key = self.keys.index(properties["KeyId"].rsplit("/", 1)[-1])
        earlier = tuple(self._material(key, id_) for id_ in properties.get("PreviousSecretVersionIds", ()))
        material = self._material(key, properties.get("SecretVersionId", version_id))
        return Asked(self.arn(key, REGIONS.index(region)), material, earlier)

    def _material(self, key: int, version_id: str) -> bytes | None:
        versions = self.versions[key]
        number = versions.index(version_id) if version_id in versions else BAD
        return None if number == BAD else self.materials[key][number]

    # -------------------------------------------------------------------------------------------------------- stacks

    def stack(self, name: str, region: int) -> Stack:
        """The stack of that name; a new one, where there is none (any more)."""
        known = self.stacks.get((name, region))
        if known is not None and known.status == "ROLLBACK_COMPLETE":  # it can only be deleted
            known.delete()
        if known is not None and known.status not in ("NONE", "DELETE_COMPLETE"):
            return known
        shown = self.cloudformation.stack(name, status="REVIEW_IN_PROGRESS", region=REGIONS[region], account=ACCOUNT)
        random = Random(self.random.getrandbits(32))  # noqa: S311  # one seed decides everything

        def tell(what: str) -> None:
            self.tell("cfn", f"{name}{'' if region == 0 else ' (second Region)'}: {what}")

        requests = Requests(self.scheduler, random, self.functions[REGIONS[region]], ACCOUNT, tell)
        requests.on_settled = self.answers.settled
        lag_seconds = STALE_SECONDS if "stale" in self.plan.faults else 0.0
        stack = Stack(requests, Shown(shown, self.scheduler, random, lag_seconds), self.scheduler, random, tell)
        stack.on_rest = self.ends.rest
        self.stacks[name, region] = stack
        self.watch.stacks.append(stack)
        return stack

    def template(self, resources: Resources, region: int) -> dict[str, Mapping[str, Any]]:
        return {name: self._properties(declared, region) for name, declared in resources}

    def _properties(self, declared: Declared, region: int) -> dict[str, Any]:
        options, key = dict(declared.options), declared.key
        properties: dict[str, Any] = {
            "KeyId": self.arn(key, region),
            "SecretId": f"secret-{key}",
            "WrappingKeySpec": "RSA_2048",
            **options,
        }
        if declared.version is not None:
            properties["SecretVersionId"] = self.versions[key][declared.version]
        if options.get("PreviousSecretVersionIds"):
            properties["PreviousSecretVersionIds"] = list(self.versions[key][:_VERSIONS])
        if "ValidTo" in options:
            properties["ValidTo"] = f"{START + timedelta(seconds=options['ValidTo']):%Y-%m-%dT%H:%M:%SZ}"
        if self.plan.keys[key].wrapped:
            properties["SecretWrapping"] = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": self.unwrap_key}
        return properties

    # ------------------------------------------------------------------------------------------------------- function

    def _build(self, region: str) -> Callable[[], Responder]:
        return lambda: function.build(
            _clients(region), clock=self.scheduler, put=self.put, log=_Log(self), dns_suffix="amazonaws.com"
        )

    def put(self, _url: str, body: bytes, _deadline: Deadline) -> None:
        """The PUT of an answer."""
        execution = self.watch.execution()
        if execution is None:
            raise RuntimeError("an answer from no execution")
        self.scheduler.sleep(self.random.uniform(0.01, 0.2))
        if self.weather.strikes(self.weather.put_lost, self.random):
            raise DeliveryFailed("The answer was lost.")
        self.tell("lambda", f"{execution} answers {json.loads(body)['Status']}")
        with self.watch.judging():
            self.answers.put(execution, body)
            self.watch.stack_of(execution).requests.take(execution.event, body)
        if self.weather.strikes(self.weather.put_lost, self.random):
            raise DeliveryFailed("The answer was delivered, and is not known to be.")

    def log(self, line: str) -> None:
        execution = self.watch.execution()
        if execution is not None:
            execution.log.append(line)


class _Log:
    """What the function gets for a logger: its fields stand in the line, as in the JSON of the deployed one."""

    def __init__(self, world: World) -> None:
        self._world = world

    def info(self, msg: str, *, extra: Mapping[str, object]) -> None:
        self._world.log(f"{msg} {dict(extra)}")

    warning = info

    def append_keys(self, **keys: str | None) -> None:
        """The story tells which execution a line belongs to."""


class LogHandler(logging.Handler):
    """The loggers of the function's modules, into the log of the execution that logs."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.log(record.getMessage())


def _rates(on: frozenset[str]) -> dict[tuple[Fault, Moment], float]:
    rates = {
        (Fault.THROTTLED, Moment.BEFORE): 0.05 * ("throttled" in on),
        (Fault.INTERNAL_ERROR, Moment.BEFORE): 0.03 * ("internal" in on),
        (Fault.INTERNAL_ERROR, Moment.AFTER): 0.02 * ("internal" in on),
        (Fault.CONNECTION_CLOSED, Moment.BEFORE): 0.03 * ("lost before" in on),
        (Fault.READ_TIMEOUT, Moment.AFTER): 0.03 * ("lost after" in on),
    }
    return {kind: rate for kind, rate in rates.items() if rate}
