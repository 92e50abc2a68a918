"""The acts of the ceremony. Each runs sections of docs/ceremony.md, and raises NotShown if one fails."""

import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lab.ceremony import holders, page, parties
from lab.ceremony.holders import Holder
from lab.ceremony.parties import Party
from lab.demo.evidence import NotShown
from lab.demo.story import Story
from lab.keys import softhsm
from lab.keys.canaries import Canaries
from lab.local import deploy
from lab.local.clients import client
from lab.local.session import LocalAws

TRANSPORT_POLICY = "transport-key.json"
ROLE_PLACEHOLDER = "ROLE-ARN-OF-THE-APPLICATION"
VERDICTS = {"hmac": "PROVED", "master": "SAME ID", "signing": "PROVED"}  # of the receipts, by the key's name


@dataclass(slots=True)
class Ceremony:
    """`paper`: what was written down, by the page's name for it. `plaintexts`: secret values that nobody may see, by name."""

    story: Story
    aws: LocalAws
    folder: Path
    paper: dict[str, str] = field(default_factory=dict)
    plaintexts: dict[str, bytes] = field(default_factory=dict, repr=False)
    people: dict[str, Party] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------------- before

    def deploy_application(self) -> None:
        with self.story.act("An administrator deploys the application: sam build, sam deploy"):
            if not deploy.is_deployed(self.aws.settings):
                deploy.build()
                deploy.deploy(self.aws.settings)
            self.story.facts({"stack": deploy.APPLICATION_STACK, "role": self.aws.role_arn()})

    def admit_parties(self) -> None:
        with self.story.act("The parties, each with a role and its policy of examples/ceremony/"):
            parties.make_programs(self.folder)
            parties.make_roles(self.aws)
            self.people["offline"] = Party.offline("offline custodian", self.story, self.folder)
            for who, role in {
                "key owner": "orders-key-owner",
                "custodian": "orders-custodian",
                "engineer": "orders-engineer",
                "auditor": "orders-auditor",
            }.items():
                self.people[who] = Party.with_role(who, self.story, self.folder, self.aws, role)
            self.story.facts(dict(parties.ROLES))

    # ----------------------------------------------------------------------------------------------- from key to secret

    def make_transport_key(self) -> None:
        owner = self.people["key owner"]
        with self.story.act("The key owner makes the transport key, and hands out its public half"):
            policy = json.dumps(page.policy(TRANSPORT_POLICY), indent=2)
            owner.has(TRANSPORT_POLICY, policy.replace(ROLE_PLACEHOLDER, self.aws.role_arn()))
            create, *others = page.commands("### 1. The key owner makes the transport key")
            self.paper["TRANSPORT_KEY"] = owner.runs(create, self.paper).strip()
            *_, hashed = [owner.runs(command, self.paper) for command in others]
            self.paper["TRANSPORT_CHECK_VALUE"] = f"SHA256:{hashed.rpartition('= ')[2].strip()}"
            owner.gives(self.people["offline"], "transport.der")

    def wrap_a_key_file(self) -> None:
        custodian = self.people["offline"]
        with self.story.act("A key file: a custodian checks and wraps it, offline"):
            self.plaintexts["the HMAC key"] = secrets.token_bytes(32)
            custodian.has("hmac.key", self.plaintexts["the HMAC key"])
            checked, _ = custodian.follows("### 2. A key file: a custodian wraps it offline", **self.paper)
            self.paper["HMAC_CHECK_VALUE"] = _labelled(checked, "Check value")
            self.paper["HMAC_CONFIRMATION_MAC"] = _labelled(checked, "Confirmation MAC")

    def combine_components(self) -> None:
        custodian = self.people["offline"]
        with self.story.act(
            "Two custodians make a component each, on their own machines, and type them one after the other"
        ):
            made, combined = page.commands("### 3. Two components: two custodians make them and combine them")
            two = tuple(Holder(Party.offline(name, self.story, self.folder)) for name in ("Anna", "Boris"))
            for holder in two:
                holder.makes(made)
                self.people[holder.name] = holder.machine
                self.plaintexts[f"{holder.name}'s component"] = holder.component
            pairs = zip(two[0].component, two[1].component, strict=True)
            self.plaintexts["the master key"] = bytes(left ^ right for left, right in pairs)
            holders.combine(custodian, combined, two, **self.paper)
            report = json.loads((custodian.folder / "master.json").read_text())
            self.paper["MASTER_CHECK_VALUE"] = report["check_values"][0]
            self.story.say(
                f"The key's check value goes on paper: {report['check_values'][0]}. Nobody has seen the key."
            )

    def wrap_in_an_hsm(self) -> None:
        custodian = self.people["offline"]
        with self.story.act("An HSM (SoftHSM2): a P-256 key is made inside, and comes out only wrapped"):
            transport = load_der_public_key((custodian.folder / "transport.der").read_bytes())
            if not isinstance(transport, RSAPublicKey):
                raise NotShown("the transport key is not an RSA key")
            inside = self.folder / "hsm"
            inside.mkdir()
            with softhsm.token(inside) as hsm:
                key = hsm.ec_key("secp256r1")
                custodian.has("signing.wrapped", hsm.wrap(key, transport).joined)
                custodian.has("signing.der", key.public_key)
            [hashed] = custodian.follows("### 4. A custodian lets an HSM wrap its key", **self.paper)
            self.paper["SIGNING_CHECK_VALUE"] = f"SHA256:{hashed.rpartition('= ')[2].strip()}"

    def store(self) -> None:
        offline, custodian = self.people["offline"], self.people["custodian"]
        with self.story.act(
            "A custodian stores what was wrapped; the secret's tag names the one stack that may use it"
        ):
            offline.gives(custodian, "hmac.wrapped", "hmac.json", "master.wrapped", "master.json", "signing.wrapped")
            printed, *_ = custodian.follows("### 5. A custodian stores what was wrapped", **self.paper)
            self.paper["HMAC_SECRET"] = _labelled(printed, "Secret")
            self.paper["HMAC_VERSION"] = _labelled(printed, "SecretVersionId")
            for name in ("master", "signing"):
                report = json.loads((custodian.folder / f"{name}-put.json").read_text())
                self.paper[f"{name.upper()}_SECRET"] = report["secret"]
                self.paper[f"{name.upper()}_VERSION"] = report["version_id"]

    # -------------------------------------------------------------------------------------------- from secret to stack

    def deploy_stacks(self) -> None:
        engineer = self.people["engineer"]
        with self.story.act("The engineer deploys three stacks, with version ids and check values from paper"):
            engineer.has("stack.yaml", page.template())
            printed = engineer.follows("### 6. The engineer deploys", **self.paper)
            for name, outputs in zip(("HMAC", "MASTER", "SIGNING"), printed[3:], strict=True):
                found = _outputs(outputs)
                self.paper[f"{name}_KEY"] = found["KeyArn"]
                if found["CheckValue"].upper() != self.paper[f"{name}_CHECK_VALUE"].upper():
                    raise NotShown(f"the stack's check value is {found['CheckValue']}, and the paper has another one")
                if name == "MASTER":
                    self.paper["MASTER_MATERIAL_ID"] = found["KeyMaterialId"]

    def take_receipts(self) -> None:
        custodian = self.people["custodian"]
        with self.story.act("A custodian asks KMS whether the keys hold what is on paper, and keeps the receipts"):
            custodian.follows("### 7. A custodian asks KMS, and keeps the receipts", **self.paper)
            for name, verdict in VERDICTS.items():
                receipt = json.loads((custodian.folder / f"{name}-receipt.json").read_text())
                if receipt["verdict"] != verdict or "orders-custodian/custodian" not in receipt["by"]["arn"]:
                    raise NotShown(f"the receipt of orders-{name} is not {verdict}, or not the custodian's")
                self._compares_with_paper(receipt, name)

    def _compares_with_paper(self, receipt: dict[str, Any], name: str) -> None:
        """What a custodian does by eye: a report may have been changed on its way, the paper not."""
        shown, on_paper = receipt["check_value"]["expected"], self.paper[f"{name.upper()}_CHECK_VALUE"]
        if shown.upper() != on_paper.upper():
            raise NotShown(f"the receipt of orders-{name} has the check value {shown}, and the paper {on_paper}")
        if receipt["secret"]["version_id"] != self.paper[f"{name.upper()}_VERSION"]:
            raise NotShown(f"the receipt of orders-{name} names another version than the paper")

    def destroy(self) -> None:
        custodian = self.people["offline"]
        with self.story.act("The plaintext is destroyed, now that the receipts are there"):
            custodian.follows("### 8. A custodian destroys the plaintext", **self.paper)
            if (custodian.folder / "hmac.key").exists():
                raise NotShown("the plaintext file is still there")

    def audit(self) -> None:
        with self.story.act("The auditor looks at keys, tags, policies, and at the function's log"):
            self.people["auditor"].follows("### 9. The auditor looks", **self.paper)
            for name in ("HMAC", "SIGNING"):
                self._quotes_log(self.paper[f"{name}_KEY"], self.paper[f"{name}_VERSION"])
            self._quotes_log(
                self.paper["MASTER_KEY"],
                self.paper["MASTER_VERSION"],
                key_material_id=self.paper["MASTER_MATERIAL_ID"],
                check_value=self.paper["MASTER_CHECK_VALUE"],
            )

    def _quotes_log(self, key_arn: str, version_id: str, **on_paper: str) -> None:
        """Compares the function's log line for an import with the paper. Raises NotShown if it is missing or differs."""
        line = _imported(self.aws.logs(), key_arn, version_id)
        shown = ("key_arn", "key_material_id", "secret_version_id", "check_value", "confirmed_by")
        self.story.quote("imported: " + ", ".join(f"{name} {line[name]}" for name in shown if line.get(name)))
        for name, value in on_paper.items():
            if line[name].upper() != value.upper():
                raise NotShown(f"the log has the {name} {line[name]}, and the paper has {value}")

    # ------------------------------------------------------------------------------------------------------- refusals

    def refuse(self) -> None:
        with self.story.act("Everybody tries the others' part, and is refused by IAM"):
            self._open_as_the_function()
            wrapped = (self.people["custodian"].folder / "hmac.wrapped").read_bytes()
            for who in ("engineer", "custodian", "key owner", "auditor"):
                self.people[who].has("hmac.wrapped", wrapped)
                self.people[who].is_refused(f"### The {who} is refused", **self.paper)

    def _open_as_the_function(self) -> None:
        """Shows that the refused calls were correct, and only the caller was wrong: the function's role gets answers."""
        settings = self.aws.as_role(self.aws.role_arn())
        stored = client(settings, "secretsmanager").get_secret_value(SecretId="orders/hmac-key")["SecretBinary"]
        opened = client(settings, "kms").decrypt(
            KeyId=self.paper["TRANSPORT_KEY"], CiphertextBlob=stored, EncryptionAlgorithm="RSAES_OAEP_SHA_256"
        )["Plaintext"]
        if opened != self.plaintexts["the HMAC key"]:
            raise NotShown("the function's role does not open the secret to the material")
        self.story.say("The function's role may make both calls: the secret is read, and it opens. But:")

    # ------------------------------------------------------------------------------------------------------ afterwards

    def revoke_and_recover(self) -> None:
        with self.story.act(
            "Revocation, and recovery: the HMAC key loses its material, and gets it back from the secret"
        ):
            self.people["key owner"].follows("### Revocation", **self.paper)
            deployed, proved = page.commands("### Recovery after loss or expiry")
            self.people["engineer"].runs(deployed, self.paper)
            self.people["custodian"].runs(proved, self.paper)

    def rotate(self) -> None:
        custodian, engineer = self.people["custodian"], self.people["engineer"]
        with self.story.act("Rotation: new material under the master key's id, made by nobody who could know it"):
            self.people["offline"].gives(custodian, "transport.der")
            _, stored = custodian.follows("### Rotation: the custodian", **self.paper)
            self.paper["NEXT_VERSION"] = _labelled(stored, "SecretVersionId")
            self.paper["NEXT_CHECK_VALUE"] = _labelled(stored, "Check value")
            _, outputs = engineer.follows("### Rotation: the engineer", **self.paper)
            current = _outputs(outputs)["KeyMaterialId"]
            if current == self.paper["MASTER_MATERIAL_ID"]:
                raise NotShown("the key's current material is still the old one")
            self._quotes_log(
                self.paper["MASTER_KEY"],
                self.paper["NEXT_VERSION"],
                key_material_id=current,
                check_value=self.paper["NEXT_CHECK_VALUE"],
            )

    def look_for_leaks(self) -> None:
        with self.story.act(
            "Did any plaintext stay behind? A look into every log, and into the folders of all parties"
        ):
            logs = [path for path in self.aws.folder.rglob("*") if path.suffix in {".log", ".jsonl"}]
            files = [path for path in self.folder.rglob("*") if path.is_file()]
            canaries = Canaries(**self.plaintexts)
            for path in (*logs, *files):
                if found := canaries.found_in(path.read_bytes()):
                    raise NotShown(f"{path} contains {', '.join(found)}")
            self.story.say(f"None of {len(logs) + len(files)} files contains any.")

    def commands(self) -> set[str]:
        """The commands of the page that were run."""
        return {command for party in self.people.values() for command in party.ran}


def _labelled(printed: str, label: str) -> str:
    """The value behind a label in the tool's output; the first if there are several."""
    found = re.search(rf"^ *{label}: +(\S+)", printed, re.MULTILINE)
    if not found:
        raise NotShown(f"there is no {label} in:\n{printed}")
    return found[1]


def _outputs(printed: str) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in printed.splitlines() if "\t" in line)


def _imported(logs: str, key_arn: str, version_id: str) -> dict[str, str]:
    """The function's log line for the import into a key, as the auditor reads it. Raises NotShown if there is none."""
    for line in logs.splitlines():
        if '"imported"' in line and key_arn in line:
            fields: dict[str, str] = json.loads(line)
            if fields["secret_version_id"] == version_id:
                return fields
    raise NotShown(f"the function's log has no line for the import into {key_arn}")
