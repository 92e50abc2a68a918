"""`key-custodian inventory` against the strict KMS and stacks over HTTP: what it lists, and what it never does."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from lab.keys.canaries import Canaries
from lab.keys.random_keys import random_keys
from lab.wire.transport import Refusal
from tests.support.online import ACCOUNT, REGION, TAG, WHO

KEY, OTHER = random_keys(32, 2)
EXPORT = "imported-key-material-ServiceToken"
TYPE = "Custom::ImportedKeyMaterial"
OTHER_ACCOUNT = "444455556666"
READS = {
    "sts:GetCallerIdentity",
    *(f"kms:{name}" for name in ("ListKeys", "ListAliases", "DescribeKey", "ListResourceTags", "ListKeyRotations")),
    *("cloudformation:ListImports", "cloudformation:ListStackResources"),
}
DEPLOYED = datetime(2026, 11, 5, 7, 0, tzinfo=UTC)


def tag(bank, arn, value):
    bank.call("TagResource", KeyId=arn, Tags=[{"TagKey": TAG, "TagValue": value}])


def declare(bank, name, *arns, account=ACCOUNT, region=REGION, export=EXPORT):
    stack = bank.cloudformation.stack(name, region=region, account=account, status="CREATE_COMPLETE")
    stack.imports.add(export)
    for number, arn in enumerate(arns):
        stack.set(f"Material{number}", "CREATE_COMPLETE", DEPLOYED, type=TYPE, physical_id=arn)
    return stack


@pytest.fixture
def orders(bank):
    """A key in use that expires, declared by the stack orders; its tag also names a stack that is gone."""
    arn = bank.external_key("SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT")
    bank.import_material(
        arn, "SYMMETRIC_DEFAULT", KEY, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=datetime.now(UTC) + timedelta(20)
    )
    bank.call("CreateAlias", AliasName="alias/orders", TargetKeyId=arn)
    tag(bank, arn, "orders gone-stack pay/")
    declare(bank, "orders", arn)
    return arn


def listed(bank, *arguments, code=0):
    """The JSON of the only account and Region."""
    done = bank.run("inventory", "--format", "json", *arguments)
    assert done.code == code, done.err
    (place,) = json.loads(done.out)["places"]
    return place


def test_all_that_an_auditor_asks_for_is_there(bank, orders):
    material_id = bank.call("DescribeKey", KeyId=orders)["KeyMetadata"]["CurrentKeyMaterialId"]

    place = listed(bank)

    assert {name: place[name] for name in ("account", "region", "profile", "asked_as")} == {
        "account": ACCOUNT,
        "region": REGION,
        "profile": None,
        "asked_as": WHO,
    }
    (key,) = place["keys"]
    ends = datetime.fromisoformat(key["ends"])
    assert timedelta(19) < ends - datetime.now(UTC) < timedelta(20)
    assert key == {
        "key_arn": orders,
        "aliases": ["alias/orders"],
        "key_spec": "SYMMETRIC_DEFAULT",
        "key_state": "Enabled",
        "ends": key["ends"],
        "materials": [{"key_material_id": material_id, "state": "CURRENT", "imported": True, "ends": key["ends"]}],
        "declared_by": [{"stack": "orders", "logical_id": "Material0", "since": "2026-11-05T07:00:00Z"}],
        "rotations_left": 25,
        "findings": ["Expires"],
    }
    assert place["declared_by_no_stack"] == []
    assert place["tags_of_no_stack"] == {orders: ["gone-stack", "pay/"]}


def test_keys_that_no_stack_declares_and_keys_of_other_kinds(bank, orders):
    bank.transport_key()  # of another Origin
    hmac = bank.external_key("HMAC_256", KEY)
    empty = bank.external_key("SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT")

    place = listed(bank)

    others = {key["key_arn"]: key for key in place["keys"] if key["key_arn"] != orders}
    assert set(others) == {hmac, empty} == set(place["declared_by_no_stack"])
    assert (others[hmac]["key_state"], others[hmac]["materials"], others[hmac]["rotations_left"]) == (
        "Enabled",
        [],
        None,
    )
    assert others[empty]["key_state"] == "PendingImport"


def test_each_rotation_leaves_one_less(bank, orders):
    family = bank.kms._store.families[orders.rsplit("/", 1)[1]]
    bank.import_material(orders, "SYMMETRIC_DEFAULT", OTHER, ImportType="NEW_KEY_MATERIAL")
    bank.call("RotateKeyOnDemand", KeyId=orders)
    family.rotation = type(family.rotation)(*[datetime.now(UTC)] * 3)  # it ends now

    (key,) = listed(bank)["keys"]

    assert [one["state"] for one in key["materials"]] == ["NON_CURRENT", "CURRENT"]
    assert key["rotations_left"] == 24
    assert key["findings"] == ["Expires"]


def test_what_is_out_of_use_hidden_or_gone_is_listed_as_such(bank, orders):
    bank.external_key("HMAC_256")
    gone = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    declare(bank, "old", gone)
    bank.call("DisableKey", KeyId=orders)
    denied = Refusal(400, "AccessDeniedException", "no resource-based policy allows it")
    bank.faults.inject("DescribeKey", denied, skip=1)

    states = {tuple(key["findings"]): key["key_state"] for key in listed(bank)["keys"]}

    assert states == {("Disabled", "Expires"): "Disabled", ("NotVisible",): "NotVisible", ("KeyGone",): "KeyGone"}


def test_the_table_is_for_people(bank, orders):
    undeclared = bank.external_key("HMAC_256", KEY)

    done = bank.run("inventory")

    lines = done.text.splitlines()
    assert done.code == 0
    assert lines[0] == f"Account {ACCOUNT}, {REGION}: 2 keys"
    assert lines[2].split() == [
        *("KEY", "ALIAS", "SPEC", "STATE", "ENDS", "MATERIALS", "DECLARED", "BY", "SINCE", "LEFT", "FINDINGS")
    ]
    first, second = lines[3].split(), lines[4].split()
    assert (first[0], first[1], *first[5:]) == (
        orders.rsplit("/", 1)[1],
        "alias/orders",
        *("1", "orders/Material0", "2026-11-05T07:00:00Z", "25", "Expires"),
    )
    assert second == [undeclared.rsplit("/", 1)[1], "-", "HMAC_256", "Enabled", "-", "-", "-", "-", "-", "-"]
    assert lines[5:] == [
        "",
        "Declared by no stack:",
        f"  {undeclared.rsplit('/', 1)[1]}",
        "",
        "Consent tags that name no living stack:",
        f"  {orders.rsplit('/', 1)[1]}: gone-stack pay/",
        "",
    ]
    assert all(line == line.rstrip() for line in lines)


def test_the_csv_has_one_row_for_each_key(bank, orders):
    done = bank.run("inventory", "--format", "csv")

    (row,) = csv.DictReader(io.StringIO(done.text))
    assert list(row) == [
        *("account", "region", "key_arn", "aliases", "key_spec", "key_state", "ends", "materials"),
        *("stack", "logical_id", "since", "rotations_left", "names_of_no_stack", "findings"),
    ]
    assert (row["key_arn"], row["stack"], row["logical_id"]) == (orders, "orders", "Material0")
    assert row["materials"].endswith(f" CURRENT, imported, ends {row['ends']}")


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM"])
def test_a_tag_becomes_no_formula_of_a_spreadsheet(bank, orders, value):
    tag(bank, orders, value)

    (row,) = csv.DictReader(io.StringIO(bank.run("inventory", "--format", "csv").text))

    assert row["names_of_no_stack"] == f"'{value}"


def test_an_account_without_such_keys_has_an_empty_list(bank):
    assert bank.run("inventory").text == f"Account {ACCOUNT}, {REGION}: 0 keys\n\n"
    assert len(bank.run("inventory", "--format", "csv").text.splitlines()) == 1
    assert listed(bank)["keys"] == []


def test_another_name_of_the_application_finds_the_stacks_that_import_from_it(bank):
    arn = bank.external_key("HMAC_256", KEY)
    declare(bank, "pay", arn, export="keys-ServiceToken")

    assert listed(bank)["declared_by_no_stack"] == [arn]
    assert listed(bank, "--application", "keys")["declared_by_no_stack"] == []


# ------------------------------------------------------------------------------------------------- accounts and Regions


@pytest.fixture
def profiles(bank):
    """Two accounts as profiles; a key in the second Region of the second account."""
    folder = bank.folder / ".aws"
    folder.mkdir()
    lines = [
        f"[profile {name}]\naws_access_key_id = {account}\naws_secret_access_key = x\nregion = {REGION}\n"
        for name, account in (("payments", ACCOUNT), ("cards", OTHER_ACCOUNT))
    ]
    (folder / "config").write_text("\n".join(lines))
    made = bank.kms.call("CreateKey", {"Origin": "EXTERNAL"}, region="eu-west-1", account=OTHER_ACCOUNT)
    return made["KeyMetadata"]["Arn"]


TWO = ("--profile", "payments", "--profile", "cards", "--region", REGION, "--region", "eu-west-1")


def test_several_profiles_and_regions_are_read_in_one_call(bank, orders, profiles):
    done = bank.run("inventory", "--format", "json", *TWO, "--profile", "cards")

    places = json.loads(done.out)["places"]
    assert done.code == 0
    assert [
        (one["profile"], one["account"], one["region"], [key["key_arn"] for key in one["keys"]]) for one in places
    ] == [
        ("payments", ACCOUNT, REGION, [orders]),
        ("payments", ACCOUNT, "eu-west-1", []),
        ("cards", OTHER_ACCOUNT, REGION, []),
        ("cards", OTHER_ACCOUNT, "eu-west-1", [profiles]),
    ]


def test_a_place_that_can_t_be_read_is_named_and_the_others_are_listed(bank, orders, profiles):
    denied = Refusal(400, "AccessDeniedException", "User is not authorized to perform: kms:ListKeys")
    bank.faults.inject("ListKeys", denied)

    done = bank.run("inventory", "--format", "json", *TWO)

    assert done.code == 1
    assert len(json.loads(done.out)["places"]) == 3
    assert (
        f"--profile payments --region {REGION}: kms:ListKeys was refused with AccessDeniedException: User is not "
        f"authorized to perform: kms:ListKeys."
    ) in done.err


def test_if_no_place_can_be_read_nothing_is_printed(bank, profiles):
    done = bank.run("inventory", "--profile", "nobody", "--format", "json")

    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith("--profile nobody: connecting to sts failed: ")


def test_a_right_that_is_missing_for_all_keys_is_an_error(bank, orders):
    bank.external_key("HMAC_256")
    bank.faults.inject("DescribeKey", Refusal(400, "AccessDeniedException", "no"), times=2)

    done = bank.run("inventory")

    assert (done.code, done.out) == (1, b"")
    assert "This account and Region: kms:DescribeKey was refused with AccessDeniedException: no." in done.err


# -------------------------------------------------------------------------------------------------- what it never does


def test_it_only_reads_and_progress_goes_to_standard_error(bank, orders):
    before = len(bank.calls)

    done = bank.run("inventory")

    assert set(bank.calls[before:]) == READS
    assert f"Account {ACCOUNT}, {REGION}, as {WHO}\n" in done.err
    assert f"Account {ACCOUNT}, {REGION}: 1 of 1 keys\n" in done.err
    assert "NOT AWS: calls to " in done.err
    assert "as arn" not in done.text


def test_a_throttled_call_is_made_again(bank, orders, monkeypatch):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    bank.faults.inject("ListKeyRotations", Refusal(400, "ThrottlingException", "Rate exceeded"), times=8)

    assert len(listed(bank)["keys"]) == 1


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_no_material_comes_out(bank, orders, form):
    bank.import_material(orders, "SYMMETRIC_DEFAULT", OTHER, ImportType="NEW_KEY_MATERIAL")

    done = bank.run("inventory", "--format", form)

    assert done.code == 0
    assert Canaries(key=KEY, other=OTHER).found_in(done.out, done.err) == {}


@pytest.mark.parametrize(
    ("operation", "answer", "field"),
    [
        ("ListKeys", {"Keys": [{"KeyId": "\x1b[2J", "KeyArn": "x"}]}, "KeyId"),
        ("ListAliases", {"Aliases": [{"AliasName": "alias/$(rm)", "TargetKeyId": ""}]}, "AliasName"),
    ],
)
def test_a_server_in_aws_s_place_can_t_put_its_text_into_the_list(bank, orders, monkeypatch, operation, answer, field):
    monkeypatch.setattr(type(bank.kms), "call", answering(type(bank.kms).call, operation, answer))

    done = bank.run("inventory")

    assert (done.code, done.out) == (1, b"")
    assert f"kms:{operation} got an answer that is not from AWS: its {field} does not have AWS's form." in done.err


@pytest.mark.parametrize(
    ("stack", "logical_id", "operation", "field"),
    [
        ("a b", "Material", "ListImports", "Imports"),
        ("orders", "$(rm)", "ListStackResources", "LogicalResourceId"),
    ],
)
def test_nor_can_it_by_the_names_of_stacks_and_resources(bank, stack, logical_id, operation, field):
    arn = bank.external_key("HMAC_256", KEY)
    declare(bank, stack).set(logical_id, "CREATE_COMPLETE", DEPLOYED, type=TYPE, physical_id=arn)

    done = bank.run("inventory")

    assert (done.code, done.out) == (1, b"")
    problem = f"cloudformation:{operation} got an answer that is not from AWS: its {field} does not have AWS's form."
    assert problem in done.err


def answering(real, operation, answer):
    def call(self, name, *given, **named):
        return answer if name == operation else real(self, name, *given, **named)

    return call
