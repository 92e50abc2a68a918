"""docs/ceremony.md and its folder: the policies keep the parties apart, the template is right, all commands are played."""

import ast
import re

import botocore.session
import cfnlint.api
import cfnlint.core
import pytest

from lab.ceremony import acts, page, parties
from lab.ceremony.page import NotOnThePageError
from lab.pages.command import Command
from tests.unit.test_docs import REPOSITORY
from tools import ceremony

SHEET_WORDS, SHEET_LINES, SHEET_CHARACTERS = 510, 55, 100  # A4 at 10 points; half of the words are commands
NOT_RUN = {"### On AWS only"}
PARTIES = ("key owner", "custodian", "engineer", "auditor")
POLICIES = {role: page.policy(file) for role, file in parties.ROLES.items()}
TRANSPORT_KEY = page.policy(acts.TRANSPORT_POLICY)
IAM_ALONE = {  # actions that are no operations
    "kms:ReEncryptFrom",
    "iam:PassRole",
    "lambda:InvokeFunction",
}
OPEN = {"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "kms:Decrypt", "kms:ReEncryptFrom"}
IMPORT = {"kms:GetParametersForImport", "kms:ImportKeyMaterial", "lambda:InvokeFunction"}
DEPLOY = {f"cloudformation:{name}" for name in ("CreateStack", "UpdateStack", "CreateChangeSet", "ExecuteChangeSet")}
STORE = {f"secretsmanager:{name}" for name in ("CreateSecret", "PutSecretValue", "TagResource")}


def listed(value):
    return value if isinstance(value, list) else [value]


def actions(policy, effect):
    return {
        action
        for statement in policy["Statement"]
        if statement["Effect"] == effect
        for action in listed(statement["Action"])
    }


def headings_with_commands():
    headings = re.findall(r"^### .+$", page.text(), re.MULTILINE)
    return {heading for heading in headings if "```console\n" in page.section(heading)}


# ------------------------------------------------------------------------------------------------------- what is played


def test_every_section_with_commands_is_played():
    source = ast.parse((REPOSITORY / "lab" / "ceremony" / "acts.py").read_text())
    named = {
        node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and str(node.value)[:4] == "### "
    }
    refused = {f"### The {who} is refused" for who in PARTIES}

    assert (named & headings_with_commands()) | refused | NOT_RUN == headings_with_commands()


def test_commands_stand_in_sections_that_are_played():
    """A command under a heading of another level would not be played."""
    text = page.text()

    assert text.count("```console\n") == sum(len(page.blocks(one, "console")) for one in headings_with_commands())


def test_every_refusal_names_the_action():
    for who in PARTIES:
        for command in page.commands(f"### The {who} is refused"):
            assert "not authorized to perform: " in command.prints[0], command.text


def test_all_that_is_written_down_is_used_and_nothing_else():
    names = {name for one in headings_with_commands() for command in page.commands(one) for name in command.names()}

    assert {name.partition("_")[0] for name in names} == {"TRANSPORT", "HMAC", "MASTER", "SIGNING", "NEXT"}


# ------------------------------------------------------------------------------------------------- the pages to print

PAGE = page.PAGE.read_text()


def words(text):
    return len(text.split())


def test_the_pages_to_print_are_what_the_page_says():
    assert ceremony.main(["--check"]) == 0


@pytest.mark.parametrize("name", ["CUSTODIAN_PAGE", "RECORD"])
def test_a_page_to_print_that_is_not_current_is_reported(tmp_path, monkeypatch, capsys, name):
    path = tmp_path / getattr(ceremony, name).name
    path.write_text("old")
    monkeypatch.setattr(ceremony, name, path)

    assert ceremony.main(["--check"]) == 1

    said = f"examples/ceremony/{path.name} is not what ceremony.md says: run `make reference`.\n"
    assert capsys.readouterr().err == said
    assert path.read_text() == "old"


def test_everything_that_is_written_down_has_a_line_on_the_record():
    rows = re.findall(r"^\| (\d) \| (.+?) \| ([a-z ]+) \|", ceremony.record(PAGE), re.MULTILINE)
    sentences = re.findall(r"Write down: ([^.]+(?:\.json`)?)\.\n", PAGE)
    items = [re.sub("^(the|each) ", "", " ".join(item.split())) for one in sentences for item in one.split("; ")]

    assert PAGE.lower().count("write down") == len(sentences)
    assert [what for _, what, _ in rows] == items
    assert sorted({int(number) for number, _, _ in rows}) == [one.number for one in ceremony.steps(PAGE)]
    assert {who for _, _, who in rows} == {"key owner", "custodian", "engineer", "auditor"}


def test_a_custodian_s_page_has_each_of_the_custodian_s_steps_and_is_one_sheet():
    printed = ceremony.custodian_page(PAGE)
    mine = [one for one in ceremony.steps(PAGE) if "custodian" in one.title.lower()]

    assert re.findall(r"^## Step (\d)\.", printed, re.MULTILINE) == [str(one.number) for one in mine]
    assert len(mine) == 6
    assert printed.count("**Write down:**") == sum(one.body.count("Write down:") for one in mine)
    assert "](" not in printed
    assert words(printed) <= SHEET_WORDS
    lines = sum(-(-len(line) // SHEET_CHARACTERS) for line in printed.splitlines() if line and "```" not in line)
    assert lines <= SHEET_LINES  # the rest is for the space between paragraphs


def test_a_custodian_s_page_has_a_command_for_each_task():
    commands = [
        " ".join(command.text.split()[:2])
        for one in ceremony.steps(PAGE)
        if one.who == "custodian"
        for command in page.commands(f"### {one.number}. {one.title}")
    ]
    printed = re.findall(r"^\$ (\S+ \S+)", ceremony.custodian_page(PAGE), re.MULTILINE)

    assert printed == list(dict.fromkeys(commands))


def test_a_custodian_s_page_says_what_a_custodian_never_does():
    never = page.section("## What a custodian never does")

    assert never.count("\n- ") == 3
    assert f"## What a custodian never does\n{never}" in ceremony.custodian_page(PAGE)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("### 8. A custodian destroys", "### 8. Somebody destroys", "The heading of step 8 does not name who acts."),
        ("value; component 2's", "value. Component 2's", "is not one sentence in a paragraph of its own."),
        ("## What a custodian never does", "## Never", "The page has no section ## What a custodian never does."),
        ("\n### ", "\n#### ", "The page has no steps."),
    ],
)
def test_a_page_of_another_form_is_an_error(old, new, error):
    assert old in PAGE
    with pytest.raises(ceremony.NoSuchStepError, match=re.escape(error)):
        ceremony.record(PAGE.replace(old, new)) + ceremony.custodian_page(PAGE.replace(old, new))


# ----------------------------------------------------------------------------------------------------------- policies


@pytest.mark.parametrize("role", [*POLICIES, "transport key"])
def test_every_action_is_one_of_aws(role):
    session = botocore.session.get_session()
    policy = POLICIES.get(role, TRANSPORT_KEY)
    unknown = []
    for action in (actions(policy, "Allow") | actions(policy, "Deny")) - IAM_ALONE:
        service, _, operation = action.partition(":")
        if operation not in session.get_service_model(service).operation_names:
            unknown.append(action)

    assert unknown == []


@pytest.mark.parametrize("role", POLICIES)
def test_nobody_may_open_or_import(role):
    allowed = actions(POLICIES[role], "Allow")

    assert allowed & OPEN == set()
    assert allowed & IMPORT == ({"lambda:InvokeFunction"} if role == parties.DEPLOY_ROLE else set())
    assert not [action for action in allowed if "*" in action]


def test_only_the_engineer_deploys_and_only_a_custodian_stores():
    deploys = {role for role, policy in POLICIES.items() if actions(policy, "Allow") & DEPLOY}
    stores = {role for role, policy in POLICIES.items() if actions(policy, "Allow") & STORE}

    assert deploys == {"orders-engineer"}
    assert stores == {"orders-custodian"}


@pytest.mark.parametrize(
    ("role", "denied"),
    [
        ("orders-key-owner", OPEN | IMPORT | DEPLOY),
        ("orders-custodian", OPEN | IMPORT | DEPLOY | {"iam:PassRole", "kms:TagResource"}),
        ("orders-engineer", OPEN | IMPORT | STORE - {"secretsmanager:CreateSecret"} | {"kms:TagResource"}),
    ],
)
def test_what_is_another_s_part_is_denied_whatever_other_policies_allow(role, denied):
    assert denied <= actions(POLICIES[role], "Deny")


def test_the_auditor_reads():
    reading = re.compile(r"[a-z]+:(Describe|Get|List|Lookup|Filter)[A-Za-z]+")

    assert [action for action in actions(POLICIES["orders-auditor"], "Allow") if not reading.fullmatch(action)] == []


def test_the_transport_key_opens_only_for_the_function():
    openers = [statement for statement in TRANSPORT_KEY["Statement"] if "kms:Decrypt" in statement["Action"]]
    named = [principal for one in TRANSPORT_KEY["Statement"] for principal in listed(one["Principal"]["AWS"])]

    assert [one["Principal"] for one in openers] == [{"AWS": acts.ROLE_PLACEHOLDER}]
    assert all(":role/orders-" in name or name == acts.ROLE_PLACEHOLDER for name in named)  # never the account itself
    assert not [name for one in TRANSPORT_KEY["Statement"] for name in one["Action"] if "*" in name or "Grant" in name]


# ----------------------------------------------------------------------------------------------------------- template


def test_the_template_is_right_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # cfn-lint reads the repository's settings otherwise
    rules = cfnlint.core.get_rules([str(REPOSITORY / "lint")], [], [])

    assert cfnlint.api.lint(page.template(), rules=rules, regions=["eu-central-1"]) == []


# ------------------------------------------------------------------------------------------------ how the page is read


def test_a_command_has_its_continued_lines_and_what_it_prints():
    first, *_ = page.commands("### 1. The key owner makes the transport key")

    assert first.text.startswith("aws kms create-key --key-spec RSA_4096")
    assert first.text.endswith("--output text")
    assert first.text.count("\\\n") == 2
    assert first.prints == ("arn:aws:kms:eu-central-1:111122223333:key/…",)


@pytest.mark.parametrize(
    ("promised", "printed", "missing"),
    [
        (("a", "b"), "a\nb\n", []),
        (("a", "b"), "a\nx\nb\n", []),  # lines between them are not on the page
        (("a", "b"), "b\na\n", ["b"]),
        (("Verdict: PROVED (by …)",), "Verdict:        PROVED (by MAC)\n", []),
        (("Verdict: PROVED (by …)",), "Verdict:        NOT SO (by MAC)\n", ["Verdict: PROVED (by …)"]),
        (("key/…",), "a key/1\n", ["key/…"]),
        (("…",), "", []),
    ],
)
def test_what_the_page_promises_is_looked_for(promised, printed, missing):
    assert Command("true", promised).missing(printed) == missing


def test_names_are_replaced_by_what_is_on_paper():
    command = Command('key-custodian verify "$HMAC_KEY" \\\n    --mac "$HMAC_MAC"', ())

    assert command.names() == {"HMAC_KEY", "HMAC_MAC"}
    assert command.with_values({"HMAC_KEY": "k", "HMAC_MAC": "00"}) == "key-custodian verify k \\\n    --mac 00"
    assert command.words({"HMAC_KEY": "k 1", "HMAC_MAC": "00"}) == ["key-custodian", "verify", "k 1", "--mac", "00"]


def test_a_section_that_is_not_there_is_reported():
    with pytest.raises(NotOnThePageError, match=r"^ceremony\.md has no section ### Nothing$"):
        page.section("### Nothing")
