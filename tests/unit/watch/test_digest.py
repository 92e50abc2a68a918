"""What people read: the whole text of each kind of finding, commands that the CLI takes, and the limits of SNS."""

import re
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest

from imported_key_material.aws.held_materials import State
from imported_key_material.watch import advice
from imported_key_material.watch.digest import BODY_MAX_CHARACTERS, DETAILED_MAX, digest
from imported_key_material.watch.estate import HiddenKey, HoldingResource, MissingKey
from imported_key_material.watch.findings import Kind, find
from lab.aws_cli.parameters import Call
from tests.support.estates import HOME, LONG_AGO, NOW, ORDERS, days, estate, key, key_id, material

LATER = NOW + days(20)
CASES = {  # one or more of each kind
    "expires": estate(key(ends=LATER, materials=[material(ends=LATER)], holders=[ORDERS], aliases=["alias/orders"])),
    "expires, and no stack declares it": estate(key(ends=LATER)),
    "ends first": estate(
        key(holders=[ORDERS], materials=[material(1, State.SUPERSEDED, NOW + days(90)), material(2, ends=None)])
    ),
    "ends first, and no stack declares it": estate(
        key(materials=[material(1, State.SUPERSEDED, NOW + days(90)), material(2, ends=None)])
    ),
    "lost": estate(key(state="PendingImport", holders=[ORDERS], materials=[material(imported=False)])),
    "disabled": estate(key(state="Disabled", holders=[ORDERS])),
    "deleted soon": estate(key(state="PendingDeletion", holders=[ORDERS], deletion_at=LATER)),
    "deleted after its replicas": estate(key(state="PendingReplicaDeletion", holders=[ORDERS])),
    "gone": replace(estate(), missing=(MissingKey(key_id(), (ORDERS,)),)),
    "hidden": replace(estate(), hidden=(HiddenKey(key_id(), ("alias/orders",), (ORDERS,)),)),
    "pending": estate(key(holders=[ORDERS], materials=[material(1), material(2, State.PENDING)])),
    "pending, and no stack declares it": estate(key(materials=[material(1), material(2, State.PENDING)])),
}


def text(*keys, **changes):
    return digest(find(replace(estate(*keys), **changes), NOW, 30), HOME, NOW)


def test_a_digest_as_it_arrives():
    materials = [material(1, State.SUPERSEDED, NOW + days(2)), material(2, ends=NOW + days(9))]
    orders = key(1, ends=NOW + days(2), materials=materials, holders=[ORDERS], aliases=["alias/orders"])

    message = text(orders, key(2, ends=NOW + days(21)))

    assert message.subject == "Imported KMS keys: 1 urgent finding, 1 other in 111122223333 eu-central-1"
    one, two = "0" * 63 + "1", "0" * 63 + "2"
    assert message.body == (
        "KMS keys with imported key material in account 111122223333, Region eu-central-1, on 2026-12-02 06:00 UTC:\n"
        "1 urgent finding, 1 other.\n"
        "\n"
        "1. URGENT: The key expires in 2 days, on 2026-12-04 06:00 UTC. Then nothing that it encrypted can be decrypted.\n"
        "   Key:        arn:aws:kms:eu-central-1:111122223333:key/00000001-0000-4000-8000-000000000000 (alias/orders)\n"
        "   Stack:      orders, resource Material, last deployed on 2026-01-01 00:00 UTC\n"
        f"   Material:   {one} superseded, ends on 2026-12-04 06:00 UTC\n"
        f"   Material:   {two} current, ends on 2026-12-11 06:00 UTC\n"
        "   What to do: Set a new Trigger on the resource, with ValidForDays or a later end, and deploy the stack. "
        "PreviousSecretVersionIds must name the versions of the earlier materials, so that they get this end, too.\n"
        "     aws cloudformation deploy --region eu-central-1 --stack-name orders --template-file TEMPLATE\n"
        "\n"
        "2. The key expires in 21 days, on 2026-12-23 06:00 UTC. Then nothing that it encrypted can be decrypted.\n"
        "   Key:        arn:aws:kms:eu-central-1:111122223333:key/00000002-0000-4000-8000-000000000000\n"
        "   Stack:      none that the watch knows declares it\n"
        "   What to do: Import its material again with a later end, or make sure that nobody needs the key then.\n"
        "     aws kms describe-key --region eu-central-1 --key-id 00000002-0000-4000-8000-000000000000\n"
        "     aws cloudtrail lookup-events --region eu-central-1 --lookup-attributes AttributeKey=ResourceName,"
        "AttributeValue=arn:aws:kms:eu-central-1:111122223333:key/00000002-0000-4000-8000-000000000000\n"
        "\n"
        "All keys of this Region, with their materials, ends and stacks:\n"
        "     key-custodian inventory --region eu-central-1\n"
        "docs/operations.md has more about each finding. Urgent findings are sent twice a day until they end, the others on "
        "Mondays.\n"
    )


PROBLEMS = {
    "expires": "The key expires in 20 days, on 2026-12-22 06:00 UTC. Then nothing that it encrypted can be decrypted.",
    "ends first": "One of the key's materials ends before the others, in 90 days, on 2027-03-02 06:00 UTC. Then the whole key "
    "is out of use.",
    "lost": "The key is out of use: key material 00000000... (current) expired or was removed.",
    "disabled": "The key is out of use: it is disabled.",
    "deleted soon": "The key is out of use: it will be deleted in 20 days, on 2026-12-22 06:00 UTC.",
    "deleted after its replicas": "The key is out of use: it will be deleted after its replicas.",
    "gone": "The key was deleted, and a stack still declares it.",
    "hidden": "The watch can't see the key: kms:DescribeKey is denied.",
    "pending": "New material waits for its rotation for more than a day: the key still encrypts with the old material.",
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_each_kind_says_what_is_wrong(case):
    (finding,) = find(CASES[case], NOW, 30)

    assert advice.of(finding).problem == PROBLEMS[case]


@pytest.mark.parametrize(
    ("materials", "which"),
    [
        ([], "its key material expired or was removed"),
        ([material(ends=NOW - days(1))], "key material 00000000... (current) expired"),
        (
            [material(1, State.SUPERSEDED, imported=False), material(2)],
            "key material 00000000... (superseded) expired or was removed",
        ),
        ([material(1), material(2, State.PENDING, imported=False)], "its key material expired or was removed"),
    ],
)
def test_lost_material_is_named_as_far_as_kms_shows_it(materials, which):
    finding, *_ = find(estate(key(state="PendingImport", materials=materials, holders=[ORDERS])), NOW, 30)

    assert advice.of(finding).problem == f"The key is out of use: {which}."


def test_a_time_that_is_less_than_a_day_away_is_in_words():
    (finding,) = find(estate(key(ends=NOW + timedelta(hours=3))), NOW, 30)

    assert advice.of(finding).problem.startswith("The key expires within a day, on 2026-12-02 09:00 UTC.")


@pytest.mark.parametrize("case", CASES)
def test_each_finding_has_commands_that_the_cli_takes(case, tmp_path):
    (finding,) = find(CASES[case], NOW, 30)
    (tmp_path / "TEMPLATE").write_text("{}")

    commands = advice.of(finding).commands

    assert commands
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "aws"
        assert words[words.index("--region") + 1] == HOME.region
        Call.of(words).validate(tmp_path)


def test_every_kind_has_a_case():
    assert {one.kind for case in CASES.values() for one in find(case, NOW, 30)} == set(Kind)


def test_many_findings_fit_into_a_message_and_the_most_urgent_come_first():
    keys = [key(number, ends=NOW + days(1) + timedelta(minutes=number), holders=[ORDERS]) for number in range(3_000)]

    message = text(*keys)

    lines = message.body.splitlines()
    numbered = [line for line in lines if re.match(r"\d+\. ", line)]
    (rest,) = [line for line in lines if line.startswith("And ")]
    assert len(message.body) <= BODY_MAX_CHARACTERS
    assert message.subject.startswith("Imported KMS keys: 3,000 urgent findings in ")
    assert sum(line.startswith("   What to do: ") for line in lines) == DETAILED_MAX
    assert [int(line.partition(".")[0]) for line in numbered] == list(range(1, len(numbered) + 1))
    assert f"{len(numbered) - 1:08x}-" in numbered[-1]
    assert rest == f"And {3_000 - len(numbered):,} more, which this message has no room for."
    assert len(numbered) > 300


def test_the_longest_names_of_aws_fit_into_a_message():
    home = HOME._replace(region="us-isob-gov-northeast-99")
    holders = [HoldingResource("s" * 128, "L" * 255, LONG_AGO)] * 40
    aliases = [f"alias/{'a' * 250}"] * 40
    materials = [material(number, State.SUPERSEDED, NOW + days(number + 1)) for number in range(26)]
    keys = [
        key(number, ends=NOW + days(1), materials=materials, holders=holders, aliases=aliases) for number in range(200)
    ]

    message = digest(find(estate(*keys), NOW, 30), home, NOW)

    assert len(message.body.encode()) < 262_144
    assert re.fullmatch(r"[!-~][ -~]{0,98}", message.subject)
    assert message.body.isascii()


def test_where_nothing_is_urgent_the_subject_only_counts():
    message = text(key(ends=LATER))

    assert message.subject == "Imported KMS keys: 1 finding in 111122223333 eu-central-1"
