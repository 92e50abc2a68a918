"""The documentation is right about the program: the tests compare its quotations, and run or check its commands."""

import ast
import hashlib
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import botocore.session
import cfnlint.api
import cfnlint.core
import cfnlint.decode
import pytest
from botocore import xform_name

from imported_key_material import consent, properties
from imported_key_material.errors import Faults, Refused
from imported_key_material.lifecycle import attributes, resource
from imported_key_material.material import check_value
from imported_key_material.material.key_specs import key_spec
from imported_key_material.material.words import PROPERTIES
from imported_key_material.material.wrapping import split_rsa_aes, unwrap_with_aes
from lab.keys.by_hand import oaep
from lab.keys.private_keys import pkcs8_der, pkcs8_pem, rsa_key, spki_der
from tools import reference, validator

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"
INTERNALS = DOCS / "internals"
EXAMPLES = REPOSITORY / "examples"
OPERATIONS = REPOSITORY / "operations"
PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *(page for place in (DOCS, EXAMPLES, OPERATIONS) for page in place.rglob("*.md"))]
)
PACKAGE = REPOSITORY / "handler" / "imported_key_material"
README_MOST_LINES, README_MOST_WORDS, ALL_MOST_WORDS = 250, 1_800, 18_000


def blocks(page, language):
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)


def section(page, heading):
    """The text under a heading, up to the next heading of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    found = re.search(
        rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", page.read_text(), re.MULTILINE | re.DOTALL
    )
    assert found, f"{page.name} has no section {heading}"
    return found.group(1)


def first_cells(table):
    return [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]


# ------------------------------------------------------------------------------------------------ the generated reference


def test_the_reference_of_properties_is_what_the_schema_says():
    assert reference.main(["--check"]) == 0


def test_the_validator_is_what_the_schema_says():
    assert validator.main(["--check"]) == 0


def test_a_page_that_is_not_current_is_reported_and_left_alone(tmp_path, monkeypatch, capsys):
    page = tmp_path / "properties.md"
    page.write_text("old")
    monkeypatch.setattr(reference, "PAGE", page)

    assert reference.main(["--check"]) == 1

    assert capsys.readouterr().err == "docs/properties.md is not what schema.json says: run `make reference`.\n"
    assert page.read_text() == "old"
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0


DECLARED = {
    "ServiceToken": "arn",
    "KeyId": "11111111-2222-3333-4444-555555555555",
    "SecretId": "orders/master-key",
    "SecretVersionId": "11111111-2222-3333-4444-555555555555",
}
ANOTHER = {
    "ServiceTimeout": "120",
    "SecretId": "orders/other-key",
    "SecretVersionId": "66666666-2222-3333-4444-555555555555",
    "SecretJsonKey": "key",
    "MaterialEncoding": "HEX",
    "SecretWrapping": {"Algorithm": "SYMMETRIC_DEFAULT", "KeyId": "alias/transport"},
    "WrappingAlgorithm": "RSAES_OAEP_SHA_1",
    "WrappingKeySpec": "RSA_2048",
    "ValidForDays": "30",
    "KeyMaterialDescription": "orders",
    "PreviousSecretVersionIds": ["66666666-2222-3333-4444-555555555555"],
    "NewMaterial": "STAGE",
    "ExpectedCheckValue": "CMAC:377822C093",
    "Trigger": "again",
}


def read(declared):
    faults = Faults()
    found = properties.read(declared, faults)
    faults.raise_if_any()
    return found


@pytest.mark.parametrize("name", ANOTHER)
def test_what_a_change_does_is_what_the_update_does(name):
    before, after = read(DECLARED), read(DECLARED | {name: ANOTHER[name]})
    says = reference.IMPORTS if resource._what_imports(before) != resource._what_imports(after) else reference.NOTHING
    assert reference.CHANGES[name] == says


def test_the_defaults_in_words_are_those_of_the_function():
    found = read(DECLARED)
    assert reference.DEFAULTS["WrappingKeySpec"] == found.wrapping_key_spec
    assert reference.DEFAULTS["NewMaterial"] == found.new_material
    unset = replace(found, key_id="", secret_id="", secret_version_id=None, wrapping_key_spec="", new_material="")
    assert {value for name, value in _fields(unset)} == {None, "", ()}


def _fields(found):
    return [(name, getattr(found, name)) for name in found.__slots__]


# -------------------------------------------------------------------------------------------- the pages for who deploys


def test_the_reference_names_every_property_and_every_attribute():
    page = DOCS / "properties.md"
    names = re.findall(r"^\| \[(\w+)\]\(#\w+\) \|", section(page, "## Properties"), re.MULTILINE)
    assert sorted(names) == sorted(reference.CHANGES)
    names = first_cells(section(page, "## Attributes"))[2:]
    assert sorted(names) == sorted(attributes.NONE)


def test_the_page_names_every_parameter_with_its_default():
    page = DOCS / "deploying.md"
    rows = [line.split("|")[1:3] for line in section(page, "## Parameters").splitlines() if line[:2] == "| "]
    named = {name: default.strip() for names, default in rows[2:] for name in names.strip().split(", ")}
    template, _ = cfnlint.decode.decode(str(REPOSITORY / "template.yaml"))
    assert named == {name: str(rule["Default"]) for name, rule in template["Parameters"].items()}


def test_the_example_at_the_top_of_the_readme_is_right_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # cfn-lint reads the repository's settings otherwise
    rules = cfnlint.core.get_rules([str(REPOSITORY / "lint")], [], [])
    assert cfnlint.api.lint(blocks(README, "yaml")[0], rules=rules, regions=["eu-central-1"]) == []


def test_the_example_at_the_top_of_the_readme_is_the_file_that_it_deploys():
    assert blocks(README, "yaml")[0] == (REPOSITORY / "examples" / "first-key.yaml").read_text()


def test_the_first_key_takes_eight_commands_at_most_and_the_second_one_the_same():
    """Only STACK differs, and every name in the stack begins with it."""
    (block,) = re.findall(r"```console\n(.*?)```", section(README, "## Your first key"), re.DOTALL)
    commands = re.findall(r"^\$ (.*(?:\\\n.*)*)", block, re.MULTILINE)
    assert len(commands) <= 8
    assert [command.count("orders-first") for command in commands] == [1] + [0] * (len(commands) - 1)
    assert commands[0].startswith("STACK=orders-first ")
    stacks = re.findall(r"cloudformation deploy --stack-name (\S+)", block)
    assert stacks == ["transport-key", "$STACK"]


def test_the_readme_is_short():
    text = README.read_text()
    assert len(text.splitlines()) <= README_MOST_LINES
    assert len(text.split()) <= README_MOST_WORDS


def test_the_pages_for_users_are_short_enough_to_be_read():
    """What is added here is taken out elsewhere, or stands in a file under examples/ or operations/."""
    assert sum(len(page.read_text().split()) for page in (README, *DOCS.glob("*.md"))) <= ALL_MOST_WORDS


def test_what_openssl_wraps_as_the_page_says_is_what_the_function_unwraps(tmp_path):
    transport = signing = rsa_key()
    (tmp_path / "transport.der").write_bytes(spki_der(transport))
    (tmp_path / "signing.pem").write_text(pkcs8_pem(signing))
    (script,) = [block for block in blocks(DOCS / "secrets.md", "console") if "id-aes256-wrap-pad" in block]

    run(script, tmp_path)

    wrapped = (tmp_path / "wrapped.bin").read_bytes()
    rsa_block, aes_block = split_rsa_aes(wrapped, transport.key_size // 8)
    aes_key = transport.decrypt(rsa_block, oaep("RSA_AES_KEY_WRAP_SHA_256"))  # as KMS does
    assert unwrap_with_aes(aes_key, aes_block) == pkcs8_der(signing)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name not in {"signing.pem", "transport.der"}) == [
        "aes.wrapped",
        "material.wrapped",
        "wrapped.bin",
    ]


@pytest.mark.parametrize(
    ("page", "key"), [(DOCS / "secrets.md", "signing.pem"), (INTERNALS / "material-checks.md", "key.pem")]
)
def test_the_hash_that_openssl_prints_is_the_check_value(page, key, tmp_path):
    (tmp_path / key).write_text(pkcs8_pem(rsa_key()))
    der = spki_der(rsa_key())
    (script,) = [block for block in blocks(page, "console") if "| openssl dgst -sha256" in block]

    printed = run(script, tmp_path).rpartition("= ")[2].strip()

    expected = check_value.check_expected_form(f"SHA256:{printed}", key_spec("RSA_2048"))
    assert expected.matches(der)
    assert printed == hashlib.sha256(der).hexdigest()


def run(script, folder):
    """Runs the lines after the prompts, with those that continue them."""
    lines, continued = [], False
    for line in script.splitlines():
        if line.startswith("$ ") or continued:
            lines.append(line.removeprefix("$ "))
            continued = line.endswith("\\")
    bash = ["/bin/bash", "-euo", "pipefail", "-c", "\n".join(lines)]
    done = subprocess.run(
        bash, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# ------------------------------------------------------------------------------------------------------ what is referred to


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def test_the_readme_leads_to_every_page():
    linked = set(re.findall(r"\]\(docs/([a-z-]+\.md)", README.read_text()))

    assert linked == {page.name for page in DOCS.glob("*.md")}


def anchors(page):
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_exists(page):
    targets = re.findall(r"^([a-z-]+):(?!=)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"[`$] ?make(?: -C \S+)? ([a-z]+)", page.read_text())
    assert sorted(set(named) - set(targets)) == []


CLI_ALONE = {"--query", "--output", "--region", "--parameter-overrides"}
CLI_COMMANDS = {("cloudformation", "deploy"), ("cloudformation", "wait")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_aws_command_and_its_options_exist(page):
    session = botocore.session.get_session()
    wrong = []
    text = page.read_text().replace("\\\n", " ")
    for command in re.findall(r"(?:\$ |`|\(|\| )(aws [a-z-]+ [a-z-]+[^`|&\n]*)", text):
        _, service, operation, *_ = command.split()
        if (service, operation) in CLI_COMMANDS:
            continue
        model = session.get_service_model(service)
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        if operation not in operations:
            wrong.append(command)
            continue
        members = model.operation_model(operations[operation]).input_shape.members
        options = {f"--{xform_name(member, '-')}" for member in members} | CLI_ALONE
        wrong += [f"{command}: {option}" for option in re.findall(r"(?<= )--[a-z-]+", command) if option not in options]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_console_block_is_whole_for_the_shell(page):
    """A single apostrophe in a placeholder left the shell waiting for the other one."""
    for block in blocks(page, "console"):
        lines, continued = [], False
        for line in block.splitlines():
            if re.match(r" *\$ ", line) or continued:
                lines.append(re.sub(r"^ *\$ ", "", line))
                continued = line.endswith("\\")
        done = subprocess.run(["/bin/bash", "-n"], input="\n".join(lines), capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_aws_command_has_a_placeholder_that_the_shell_takes_for_a_redirection(page):
    text = page.read_text().replace("\\\n", " ")
    commands = re.findall(r"(?:\$ |`|\(|\| )(aws [a-z-]+ [a-z-]+[^`\n]*)", text)
    assert [command for command in commands if re.search(r"<[A-Za-z]", command)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_of_a_log_are_printed_one_a_line(page):
    """`--output text` puts a list of texts on one line; a list of lists has a line for each."""
    assert re.findall(r"events\[\]\.message", page.read_text()) == []


RETAINED = "DeletionPolicy: RetainExceptOnCreate\n{0}UpdateReplacePolicy: Retain\n"


@pytest.mark.parametrize(
    "page",
    [README, *sorted(EXAMPLES.rglob("*.yaml"))],
    ids=lambda page: page.name,
)
def test_what_is_retained_is_not_kept_where_its_first_deployment_fails(page):
    """With Retain a failed Create leaves a key, and the material in it, in no stack."""
    policies = re.findall(r"^( *)DeletionPolicy: (\w+)", page.read_text(), re.MULTILINE)
    retained = {policy for _, policy in policies} - {"Delete"}
    assert retained <= {"RetainExceptOnCreate"}
    assert all(
        RETAINED.format(indent) in re.sub(" *#.*", "", page.read_text())
        for indent, policy in policies
        if policy in retained
    )


def test_the_readme_says_what_a_failed_create_leaves():
    (row,) = [
        line
        for line in section(README, "## What happens on update and delete").splitlines()
        if "a Create fails" in line
    ]
    assert all(word in row for word in ("DeletionPolicy: Retain`", "--disable-rollback", "express mode"))


def test_deployers_to_a_local_aws_read_about_response_host():
    """`sam deploy --guided` and Enter leave it empty. Then every stack there hangs."""
    (row,) = [line for line in (DOCS / "deploying.md").read_text().splitlines() if "| ResponseHost |" in line]
    template, _ = cfnlint.decode.decode(str(REPOSITORY / "template.yaml"))
    assert "without it every stack there hangs" in row
    assert "every stack hangs" in template["Parameters"]["ResponseHost"]["Description"]


def test_a_secret_that_is_not_there_begins_with_its_misspelt_name():
    """The most frequent mistake of all."""
    text = (DOCS / "troubleshooting.md").read_text()
    entry = text.partition("> IAM answers this in three cases:")[2].partition("\n> ")[0]
    assert [line[:24] for line in entry.splitlines() if re.match(r"\d\. ", line)] == [
        "1. SecretId is misspelt,",
        "2. The secret has no tag",
        "3. A policy forbids it: ",
    ]


def test_what_is_waited_for_six_minutes_is_not_the_look_at_a_secret():
    text = (DOCS / "troubleshooting.md").read_text()
    entry = text.partition("> The function's role, the key's policy or the secret's policy")[2].partition("\n> ")[0]
    assert "AccessDenied on a key, or on a secret's value, that lasted for six minutes" in entry
    assert (
        "which lasted for twenty seconds"
        in text.partition("> IAM answers this in three cases:")[2].partition("\n> ")[0]
    )


def test_the_design_has_its_ten_rules_and_the_code_cites_no_other():
    numbers = [
        int(number) for number in re.findall(r"^### (\d+)\. ", (INTERNALS / "design.md").read_text(), re.MULTILINE)
    ]
    assert numbers == list(range(1, 11))
    cited = re.findall(r"design\.md, rules? (\d+)", "".join(path.read_text() for path in PACKAGE.rglob("*.py")))
    assert cited
    assert {int(number) for number in cited} <= set(numbers)


# ------------------------------------------------------------------------------------------------ what the pages say of it


def test_the_checks_are_numbered_to_22():
    cells = first_cells((INTERNALS / "material-checks.md").read_text())
    assert [int(cell) for cell in cells if cell.isdigit()] == list(range(1, 23))


VECTOR = re.compile(r"^\| (AES|HMAC_\d+), (\d+) (zero )?bytes \| (.*) \|$", re.MULTILINE)


def test_the_check_values_on_the_page_are_those_that_are_computed():
    vectors = VECTOR.findall((INTERNALS / "material-checks.md").read_text())
    assert len(vectors) == 6
    for name, size, zero, values in vectors:
        spec = key_spec("SYMMETRIC_DEFAULT" if name == "AES" else name)
        key = bytes(int(size)) if zero else bytes(range(int(size)))
        shown = re.findall(r"`([^`]+)`", values)
        assert shown[0] == check_value.compute(spec, key)
        for value in shown:
            assert check_value.check_expected_form(value, spec).matches(key), value


@pytest.mark.parametrize(
    ("role", "begin", "end"),
    [
        ("Role", "| Call | On | Only if |", '"The tag" is'),
        ("OnFailureRole", "| Call of the on-failure function |", "The watch, `"),
        ("WatchRole", "| Call of the watch |", "The key's own policy"),
    ],
)
def test_the_permissions_page_has_every_right_of_a_role_and_no_other(role, begin, end):
    """Except the rights on network interfaces: Lambda's guide lists them."""
    found = re.search(
        rf"^  {role}:\n(.*?)^(  \S|Outputs:)", (REPOSITORY / "template.yaml").read_text(), re.MULTILINE | re.DOTALL
    )
    assert found
    given = set(re.findall(r"\b(?:kms|secretsmanager|cloudformation|lambda|logs|sns):[A-Z]\w+", found.group(1)))
    table = section(DOCS / "permissions.md", "## What the function's role may do").partition(begin)[2]
    listed = set()
    for row in first_cells(table.partition(end)[0]):
        service = ""
        for part in row.split(", "):
            service = part.partition(":")[0] if ":" in part else service
            if re.fullmatch(r"(\w+:)?[A-Z][a-z]\w+", part) and service:
                listed.add(f"{service}:{part.rpartition(':')[2]}")
    conditions = {name for name in given if re.search(r":(Key|Encryption|Wrapping|Via|Source)[A-Z]", name)}
    assert listed == given - conditions


# ------------------------------------------------------------------------------------------------------------ error texts

QUOTES = re.findall(r"^> (.+)$", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)


def literals():
    """The text of every string in the package; an f-string's without what differs."""
    return [
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def in_properties():
    """Every f-string as the function's user reads it: with the words of properties in it, without what else differs."""
    return [
        "".join(map(spoken, node.values))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr)
    ]


def spoken(part):
    if isinstance(part, ast.Constant):
        return part.value
    is_word = isinstance(part.value, ast.Attribute) and ast.unparse(part.value.value) == "words"
    return getattr(PROPERTIES, part.value.attr, "\0") if is_word else "\0"


def composed():
    """The sentences that the program makes of several strings."""
    faults = Faults()
    properties.read({"SecretID": "a", "ServiceTimeout": "1", "Trigger": "{{resolve:secretsmanager:a}}"}, faults)
    for value in ({}, {consent.TAG: "billing"}, {consent.TAG: "b" * 250}):
        with faults.collected():
            consent.require(value, "orders", where="KeyId", what="the KMS key")
    with pytest.raises(Refused) as refused:
        faults.raise_if_any()
    return [str(refused.value)]


TEXTS = literals() + in_properties() + composed()


def test_there_are_quotes():
    assert len(QUOTES) > 20


@pytest.mark.parametrize("quote", QUOTES)
def test_every_error_text_that_is_explained_is_one_of_the_program(quote):
    fragments = [fragment.strip() for fragment in quote.split("…") if fragment.strip(" .,")]
    assert fragments
    assert [fragment for fragment in fragments if not any(fragment in text for text in TEXTS)] == []
