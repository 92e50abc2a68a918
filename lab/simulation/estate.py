"""People's property in a history: keys in two Regions, secrets with their versions; and what a declaration means.

Invariants are judged by these tables, never by how the function reads its properties.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache, partial
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from imported_key_material.material import check_value, wrapping
from imported_key_material.material.key_specs import KEY_SPECS, Kind
from lab.kms.service import StrictKms
from lab.secretsmanager.reads import Secret, SecretsManager
from lab.simulation.plan import BAD, Declared, KeyPlan, Resources
from lab.simulation.scheduler import START
from lab.simulation.watch import TAG, Asked, Watch

ACCOUNT = "111122223333"
REGIONS = ("eu-central-1", "eu-west-1")
CONSENT = "orders payments"
_USAGE = {"SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT", "HMAC_256": "GENERATE_VERIFY_MAC", "ECC_NIST_P256": "SIGN_VERIFY"}
_VERSIONS = 3  # of every secret, beside the bad version


@cache
def _private_key(number: int) -> tuple[bytes, bytes]:
    """PKCS#8 in DER, and the private value in it. The same in every process: seeds must repeat."""
    value = Random(number).getrandbits(250) + 1  # noqa: S311  # below the order of the curve
    der = ec.derive_private_key(value, ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der, value.to_bytes(32, "big")


class Estate:
    def __init__(
        self, plans: tuple[KeyPlan, ...], random: Random, kms: StrictKms, secrets_manager: SecretsManager
    ) -> None:
        self.keys: list[str] = []  # key ids
        self.materials: list[tuple[bytes, ...]] = []  # by key: of its secret's good versions
        self.versions: list[tuple[str, ...]] = []  # by key: the ids of its secret's versions, the bad one last
        self.secrets: dict[tuple[int, int], Secret] = {}  # by key and Region
        self.secret_bytes: list[bytes] = []  # bytes that must not leak
        self.transport_key = ""
        self._plans = plans
        self._random = random
        self._kms = kms
        self._secrets_manager = secrets_manager

    def arn(self, key: int, region: int) -> str:
        return f"arn:aws:kms:{REGIONS[region]}:{ACCOUNT}:key/{self.keys[key]}"

    def call_kms(self, operation: str, region: int = 0, **params: Any) -> Any:
        """A person's call."""
        return self._kms.call(operation, params, region=REGIONS[region], account=ACCOUNT)

    def make(self, watch: Watch) -> None:
        tags = [{"TagKey": TAG, "TagValue": CONSENT}]
        self.transport_key = self.call_kms("CreateKey", Tags=tags)["KeyMetadata"]["Arn"]
        for index, plan in enumerate(self._plans):
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
                watch.person(self.arn(index, 0), partial(self._import_by_hand, index))

    def _make_secret(self, key: int) -> None:
        if self._plans[key].spec == "ECC_NIST_P256":
            pairs = [_private_key(3 * key + version) for version in range(_VERSIONS)]
            self.materials.append(tuple(der for der, _ in pairs))
            self.secret_bytes += [value for _, value in pairs]
        else:
            self.materials.append(tuple(self._random.randbytes(32) for _ in range(_VERSIONS)))
            self.secret_bytes += self.materials[-1]
        values = [*self.materials[key], b"x" * 31]  # every check refuses the last one
        if self._plans[key].wrapped:
            context = {TAG: f"{ACCOUNT}/secret-{key}"}
            values = [
                self.call_kms("Encrypt", KeyId=self.transport_key, Plaintext=value, EncryptionContext=context)[
                    "CiphertextBlob"
                ]
                for value in values
            ]
        for region, name in enumerate(REGIONS):
            for number, value in enumerate(values):
                secret = self._secrets_manager.put(
                    f"secret-{key}",
                    value,
                    tags={TAG: CONSENT},
                    version_id=f"{key}{number}000000-0000-4000-8000-000000000000",
                    region=name,
                    account=ACCOUNT,
                )
            self.secrets[key, region] = secret
            self._secrets_manager.move_stage(secret, "AWSCURRENT", next(iter(secret.versions)))
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
        """What properties mean, by the plan's own tables, not by how the function reads them."""
        key = self.keys.index(properties["KeyId"].rsplit("/", 1)[-1])
        earlier = tuple(self._material(key, id_) for id_ in properties.get("PreviousSecretVersionIds", ()))
        material = self._material(key, properties.get("SecretVersionId", version_id))
        return Asked(self.arn(key, REGIONS.index(region)), material, earlier)

    def _material(self, key: int, version_id: str) -> bytes | None:
        versions = self.versions[key]
        number = versions.index(version_id) if version_id in versions else BAD
        return None if number == BAD else self.materials[key][number]

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
        if options.get("ExpectedCheckValue"):
            properties |= self._expected(properties.pop("ExpectedCheckValue"), declared)
        if "ValidTo" in options:
            properties["ValidTo"] = f"{START + timedelta(seconds=options['ValidTo']):%Y-%m-%dT%H:%M:%SZ}"
        if self._plans[key].wrapped:
            properties["SecretWrapping"] = {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": self.transport_key}
        return properties

    def _expected(self, _is_declared: object, declared: Declared) -> dict[str, str]:
        """The declared version's check value. None for a version that is not pinned, or that every check refuses."""
        key, version = declared.key, declared.version
        if version is None or version == BAD:
            return {}
        encoded, spec = self.materials[key][version], KEY_SPECS[self._plans[key].spec]
        if spec.kind is Kind.EC:
            private_key = load_der_private_key(encoded, None)
            encoded = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {"ExpectedCheckValue": check_value.compute(spec, encoded)}

    def name_of(self, arn: str) -> str:
        """A key's name in a story: key A, B, C. The second Region has the replica."""
        key_id, region = arn.rsplit("/", 1)[-1], arn.split(":")[3]
        if key_id not in self.keys:
            return "the transport key"
        return f"key {'ABCDEFGH'[self.keys.index(key_id)]}{'' if region == REGIONS[0] else ' (replica)'}"
