"""The acts of the demo. Each act prints what it does and its result, and raises if it fails."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.demo import ceremony, warned
from lab.demo.ceremony import Custodian, Materials
from lab.demo.evidence import Evidence, NotShown
from lab.demo.story import Story
from lab.demo.warned import OnCall
from lab.local import deploy, places
from lab.local.session import LocalAws
from lab.local.stacks import Stack

EXAMPLES = places.REPOSITORY / "examples"
VALID_FOR_DAYS = 21  # an instant later it expires in 20 days, counted in whole days


@dataclass(slots=True)
class Demo:
    story: Story
    aws: LocalAws
    materials: Materials
    custodian: Custodian
    evidence: Evidence
    on_call: OnCall
    keys: dict[str, str] = field(default_factory=dict)  # by stack

    @classmethod
    def of(cls, story: Story, aws: LocalAws, folder: Path) -> "Demo":
        materials = ceremony.make(folder)
        return cls(story, aws, materials, Custodian(aws, folder), Evidence(aws, materials), OnCall(aws))

    # --------------------------------------------------------------------------------------------------- before

    def deploy_application(self) -> None:
        with self.story.act("sam build: the function, and the layer with what it imports"):
            deploy.build()
        with self.story.act("sam deploy: the application, once per account and Region"):
            topic = self.on_call.topic_arn
            deploy.deploy(self.aws.settings, {"AlarmTopicArn": topic})
            token = deploy.service_token(self.aws.settings)
            self.story.facts({"stack": deploy.APPLICATION_STACK, "ServiceToken": token, "AlarmTopicArn": topic})
            self.story.say(
                "Because of AlarmTopicArn there are alarms, and a function that looks at all keys: the watch."
            )

    def prepare_secrets(self) -> None:
        with self.story.act("The custodian makes key material, and wraps it before it goes into a secret"):
            self.custodian.make_transport_keys()
            self.story.say(
                "Two transport keys: alias/transport (symmetric), alias/transport-rsa (its public key is handed out). "
                "Their tag imported-key-material says which stacks may use them to open a secret: stacks named demo-..."
            )
            wrapped = {
                "demo-symmetric": self.custodian.encrypt(self.materials.symmetric, "demo-symmetric/material"),
                "demo-hmac": self.custodian.encrypt_oaep(self.materials.hmac),
                "demo-signing": self.custodian.wrap_as_an_hsm(self.materials.rsa),
                "demo-p256": self.custodian.encrypt(self.materials.secrets()["the P-256 key"], "demo-p256/material"),
            }
            for stack, content in wrapped.items():
                self.custodian.store(f"{stack}/material", content, for_stack=stack)
            self.story.facts(
                {
                    "demo-symmetric": "32 random bytes, by kms:Encrypt, bound to the name of its secret",
                    "demo-hmac": "32 random bytes, by openssl pkeyutl (OAEP with SHA-256)",
                    "demo-signing": "an RSA key (PEM), as an HSM does it: openssl pkeyutl, then openssl enc (RFC 5649)",
                    "demo-p256": "a P-256 key (PKCS#8), by kms:Encrypt",
                }
            )
            self.story.say(
                "Reading these secrets reveals nothing. Each secret's tag names the only stack that may use it."
            )

    # --------------------------------------------------------------------------------------------------- create

    def create_stacks(self) -> None:
        examples: Mapping[str, tuple[str, Mapping[str, str]]] = {
            "demo-symmetric": ("symmetric.yaml", {"CheckValue": self.materials.check_value}),
            "demo-hmac": ("hmac.yaml", {}),
            "demo-signing": ("rsa-signing.yaml", {}),
            "demo-p256": ("ec-p256.yaml", {}),
        }
        for stack, (example, parameters) in examples.items():
            with self.story.act(f"Stack {stack} declares its material (examples/{example})"):
                made = self.create(stack, example, parameters)
                self.expect(made, "CREATE_COMPLETE")
                self.keys[stack] = made.outputs["KeyArn"]
                facts = {name: value for name, value in made.outputs.items() if value}
                self.story.facts({"status": made.status, **facts, "key state": self.evidence.state(self.keys[stack])})

    def create(self, stack: str, example: str, parameters: Mapping[str, str]) -> Stack:
        template = (EXAMPLES / example).read_text()
        return self.aws.stacks.create(stack, template, parameters={"SecretId": f"{stack}/material", **parameters})

    @staticmethod
    def expect(stack: Stack, status: str) -> None:
        if stack.status != status:
            raise NotShown(f"stack {stack.name} is {stack.status}, not {status}: {' '.join(stack.reasons())}")

    # -------------------------------------------------------------------------------------------------- evidence

    def show_that_kms_holds_it(self) -> None:
        keys, evidence, materials = self.keys, self.evidence, self.materials
        with self.story.act("KMS really holds it: checked outside of KMS, by OpenSSL, with the custodian's own copy"):
            mac = evidence.mac_is_the_same_outside(keys["demo-hmac"])
            rsa = evidence.public_key_is_equal(keys["demo-signing"], materials.rsa)
            pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")
            evidence.signature_verifies_outside(keys["demo-signing"], materials.rsa, "RSASSA_PSS_SHA_256", *pss)
            ec = evidence.public_key_is_equal(keys["demo-p256"], materials.ec)
            evidence.signature_verifies_outside(keys["demo-p256"], materials.ec, "ECDSA_SHA_256")
            evidence.opens(evidence.seal(keys["demo-symmetric"]))
            self.story.facts(
                {
                    "demo-hmac": f"GenerateMac gives what OpenSSL computes, {mac}",
                    "demo-signing": f"public key equal, {rsa}; OpenSSL verifies KMS's RSA-PSS signature",
                    "demo-p256": f"public key equal, {ec}; OpenSSL verifies KMS's ECDSA signature",
                    "demo-symmetric": f"the ceremony's check value, {materials.check_value}, compared before the import",
                }
            )

    # ---------------------------------------------------------------------------------------------------- update

    def change_expiry(self) -> None:
        with self.story.act(f"An update in place: the symmetric key's material shall expire in {VALID_FOR_DAYS} days"):
            key = self.keys["demo-symmetric"]
            before, ciphertext = self.evidence.expires(key), self.evidence.seal(key)
            changed = self.aws.stacks.update(
                "demo-symmetric",
                (EXAMPLES / "symmetric.yaml").read_text(),
                parameters={
                    "SecretId": "demo-symmetric/material",
                    "CheckValue": self.materials.check_value,
                    "ValidForDays": str(VALID_FOR_DAYS),
                },
            )
            self.expect(changed, "UPDATE_COMPLETE")
            self.evidence.opens(ciphertext)
            after = self.evidence.expires(key)
            if changed.outputs["KeyArn"] != key or before != "never" or after == "never":
                raise NotShown(f"the material expires {after}, and expired {before}")
            self.story.facts({"status": changed.status, "expired": before, "expires": after})
            self.story.say("It is the same key, and it opens what it sealed before.")

    # ---------------------------------------------------------------------------------------------- no surprises

    def warn_of_the_expiry(self) -> None:
        with self.story.act("Nothing expires by surprise: the watch reports the key that expires"):
            self.story.say(
                "The watch runs twice a day. It reports a key that expires within 30 days each Monday, and in the last seven "
                "days twice a day. Run by hand, it reports all that it finds on any day, so the demo runs it by hand:"
            )
            self.story.quote(f"aws lambda invoke --function-name {warned.WATCH} watch.json")
            mail = self.on_call.run_watch()
            key = self.keys["demo-symmetric"]
            expected = (
                f"1. The key expires in {VALID_FOR_DAYS - 1} days, ",
                f"   Key:        {key} (alias/demo-symmetric)\n   Stack:      demo-symmetric, resource Material,",
            )
            if not all(text in mail.text for text in expected) or mail.text.count("   Key: ") != 1:
                raise NotShown(f"the digest is not the expected one: {mail.text}")
            self.story.say("The digest, which counts whole days:")
            self.story.show(f"{mail.subject}\n\n{mail.text}")

    def list_all_keys(self) -> None:
        with self.story.act("Which keys there are: key-custodian inventory, which only reads"):
            text = warned.inventory(self.aws, self.materials.folder)
            missing = [stack for stack in self.keys if f"{stack}/Material" not in text]
            if missing:
                raise NotShown(f"the inventory does not list the keys of {', '.join(missing)}: {text}")
            self.story.show(text)

    # -------------------------------------------------------------------------------------------------- refusals

    def refuse_a_wrong_secret(self) -> None:
        with self.story.act("A wrong secret: the custodian's editor has added a newline to the key"):
            stack, name = "demo-newline", "demo-newline/material"
            self.custodian.store(name, self.custodian.encrypt(self.materials.symmetric + b"\n", name), for_stack=stack)
            self._is_refused(stack, "33 bytes")

    def refuse_without_consent(self) -> None:
        with self.story.act("No consent: another team deploys a stack that names the secret of demo-symmetric"):
            parameters = {"SecretId": "demo-symmetric/material"}
            self._is_refused("other-team", "imported-key-material", parameters)

    def _is_refused(self, stack: str, because: str, parameters: Mapping[str, str] | None = None) -> None:
        made = self.create(stack, "symmetric.yaml", parameters or {})
        self.expect(made, "ROLLBACK_COMPLETE")
        [reason, *_] = made.reasons("Material")
        if because not in reason:
            raise NotShown(f"the stack's reason is not the expected one: {reason}")
        self.story.say(f"{made.status}. The stack's event says:")
        self.story.quote(reason)
        key = next(
            event for event in made.events if event["LogicalResourceId"] == "Key" and event["PhysicalResourceId"]
        )
        self.evidence.is_empty(key["PhysicalResourceId"])
        self.story.say("Its key is still empty: every check comes before the first import.")

    # ---------------------------------------------------------------------------------------------------- delete

    def delete_stacks(self) -> None:
        with self.story.act("The stacks are deleted: the material leaves the keys before the keys go"):
            states = {}
            for stack, key in self.keys.items():
                self.expect(self.aws.stacks.delete(stack), "DELETE_COMPLETE")
                scheduled = self.evidence.state(key)
                self.evidence.is_empty(key)
                states[stack] = f"the key is {scheduled}; called back for a look, it is PendingImport: empty"
            self.story.facts(states)

    # --------------------------------------------------------------------------------------------------- no leaks

    def look_for_leaks(self) -> None:
        with self.story.act("Was any material written down? A look into every log, event and answer"):
            files = [path for path in self.aws.folder.rglob("*") if path.suffix in {".log", ".jsonl"}]
            written = b"\n".join(path.read_bytes() for path in files)
            for what, material in self.materials.secrets().items():
                for form in forms(material):
                    if form in written:
                        raise NotShown(f"a file under {self.aws.folder} contains {what}")
            if b"X-Amz-Signature" in written:
                raise NotShown(f"a file under {self.aws.folder} contains a ResponseURL")
            self.story.say(f"Not in {len(files)} files with {len(written):,} bytes: no material, and no ResponseURL.")


def forms(material: bytes) -> list[bytes]:
    """The forms in which material could be found: raw, hex, base64 at each of its three alignments (the middle part)."""
    encoded = [base64.b64encode(material[shift:])[4:-8] for shift in range(3)]
    return [material, material.hex().encode(), material.hex().upper().encode(), *encoded]
