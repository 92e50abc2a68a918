"""What a custodian with a network meets: KMS, Secrets Manager, CloudFormation and STS behind one address, and the tool.

    with Online(folder) as online:
        done = online.custodian.run("put", "wrapped.bin", ...)

Two parties: the tool, whose calls go over HTTP and are kept in `calls`; and the administrator, who calls the stand-ins here.
"""

from pathlib import Path
from typing import Any, Final, Self

from lab.clock import WallClock
from lab.cloudformation.stack_reads import CloudFormation
from lab.keys.by_hand import FOR_EVER, wrap
from lab.kms import KmsWire, StrictKms
from lab.kms.server import KmsServer
from lab.program import Done, Program
from lab.secretsmanager.reads import Secret
from lab.secretsmanager.writes import WritableSecrets
from lab.sts import Sts
from lab.wire.faults import Faults
from lab.wire.one_endpoint import OneEndpoint
from lab.wire.transport import Refusal

ACCOUNT: Final = "111122223333"
REGION: Final = "eu-central-1"
WHO: Final = f"arn:aws:iam::{ACCOUNT}:user/custodian"
TAG: Final = "imported-key-material"
_MAC = "GENERATE_VERIFY_MAC"
_USAGES: Final = {"SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT", "HMAC_256": _MAC, "HMAC_384": _MAC, "HMAC_512": _MAC}


class Online:
    def __init__(self, folder: Path, *, program: type[Program] = Program) -> None:
        clock = WallClock()
        self.kms = StrictKms(clock)
        self.secrets = WritableSecrets(clock)
        self.faults = Faults()
        self.cloudformation = CloudFormation(clock)
        self._endpoint = OneEndpoint(self.cloudformation, Sts(), KmsWire(self.kms), self.secrets)
        self._server = KmsServer(self._endpoint, faults=self.faults)
        self.folder = folder
        self.custodian = program(
            folder,
            {
                "AWS_ENDPOINT_URL": self._server.url,
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "x",
                "AWS_DEFAULT_REGION": REGION,
            },
        )

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__(None, None, None)

    @property
    def calls(self) -> list[str]:
        """The calls that reached a service, such as "kms:DescribeKey"."""
        return self._endpoint.calls

    @property
    def sent(self) -> list[bytes]:
        """The bodies of those requests."""
        return self._endpoint.bodies

    def run(self, *arguments: str, stdin: bytes = b"") -> Done:
        return self.custodian.run(*arguments, stdin=stdin)

    def file(self, name: str, data: bytes | str) -> str:
        """Writes a file that only the custodian can read. Returns its name."""
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        path.chmod(0o600)
        return name

    def deny(self, operation: str, *, times: int = 1) -> None:
        """The next calls of the operation are refused, as IAM refuses them."""
        message = f"User: {WHO} is not authorized to perform: {operation}"
        self.faults.inject(operation, Refusal(400, "AccessDeniedException", message), times=times)

    # --------------------------------------------------------------------------------------- what an administrator does

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.kms.call(operation, params, region=REGION, account=ACCOUNT)

    def transport_key(
        self, spec: str = "RSA_2048", *, tag: str | None = "orders", alias: str = "alias/transport"
    ) -> str:
        """The ARN of the transport key secrets."""
        tags = [{"TagKey": TAG, "TagValue": tag}] if tag is not None else []
        made = self.call("CreateKey", KeySpec=spec, KeyUsage="ENCRYPT_DECRYPT", Tags=tags)
        arn: str = made["KeyMetadata"]["Arn"]
        self.call("CreateAlias", AliasName=alias, TargetKeyId=arn)
        return arn

    def external_key(self, spec: str, material: bytes | None = None, *, usage: str | None = None) -> str:
        """The ARN of a key with Origin EXTERNAL; with `material` (PKCS#8 of private keys) in it."""
        chosen = usage or _USAGES.get(spec, "SIGN_VERIFY")
        made = self.call("CreateKey", Origin="EXTERNAL", KeySpec=spec, KeyUsage=chosen)
        arn: str = made["KeyMetadata"]["Arn"]
        if material is not None:
            self.import_material(arn, spec, material)
        return arn

    def import_material(self, arn: str, spec: str, material: bytes, **more: Any) -> str:
        """Returns the KeyMaterialId, "" for keys that have none."""
        algorithm = "RSA_AES_KEY_WRAP_SHA_256" if spec.startswith(("RSA", "ECC")) else "RSAES_OAEP_SHA_256"
        answer = self.call("GetParametersForImport", KeyId=arn, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
        imported = self.call(
            "ImportKeyMaterial",
            KeyId=arn,
            ImportToken=answer["ImportToken"],
            EncryptedKeyMaterial=wrap(algorithm, answer["PublicKey"], material),
            **{"ExpirationModel": FOR_EVER, **more},
        )
        return str(imported.get("KeyMaterialId", ""))

    def secret(self, name: str, value: bytes, **options: Any) -> Secret:
        return self.secrets.put(name, value, region=REGION, account=ACCOUNT, **options)
