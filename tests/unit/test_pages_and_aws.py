"""Compares what pages, templates and policies say about AWS with AWS's own models, or with the page's own arithmetic.

The facts come from botocore, which the layer pins: if a later one has others, a test here names the page to change. For what no
model has (prices, what stack refactoring takes, what nobody has seen) the tests only fix the page's words.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import permutations
from pathlib import Path

import botocore.session
import cfnlint.decode
import pytest

from imported_key_material.aws import error_texts
from lab.application import source

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
INTERNALS = DOCS / "internals"
README, TEMPLATE, SCALE = REPOSITORY / "README.md", REPOSITORY / "template.yaml", INTERNALS / "scale.md"
PERMISSIONS, DESIGN, THREAT_MODEL = DOCS / "permissions.md", INTERNALS / "design.md", DOCS / "threat-model.md"
DEPLOYING, ROTATION, MOVING = DOCS / "deploying.md", DOCS / "rotation.md", DOCS / "moving-keys.md"
PAGES = sorted({README, *DOCS.rglob("*.md")} - {INTERNALS / "findings.md"})  # it quotes what was wrong
POLICIES = sorted(path for folder in ("examples", "operations") for path in (REPOSITORY / folder).rglob("*.json"))
CODE = sorted((REPOSITORY / "handler" / "imported_key_material").rglob("*.py"))
SCHEMA = json.loads((REPOSITORY / "handler" / "imported_key_material" / "schema.json").read_text())
APPLICATION = source()
SESSION = botocore.session.get_session()


@cache
def model(service):
    return SESSION.get_service_model(service)


def of_aws(shape):
    """AWS's own words about a shape, without markup."""
    return re.sub(r"<[^>]+>", "", shape.documentation)


def flowing(text):
    """Text whose lines may be broken anywhere; YAML's comments, too."""
    return " ".join(text.replace("\n#", "\n").split())


def paragraphs(page):
    return [flowing(one) for one in re.split(r"\n\s*\n", page.read_text())]


def paragraph(page, beginning):
    (found,) = [one for one in paragraphs(page) if one.startswith(beginning)]
    return found


def blocks(page, language):
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)


# --------------------------------------------------------------------------------------------------------- FIPS endpoints

FIPS_SERVICES = ("kms", "secretsmanager", "cloudformation", "lambda", "sns")
PARTITIONS = SESSION.get_component("data_loader").load_data("endpoints")["partitions"]
REGIONS = {region for partition in PARTITIONS for region in partition["regions"]}


def with_fips(service, partitions=PARTITIONS):
    """The Regions in which a service has a FIPS endpoint."""
    return {
        region
        for partition in partitions
        for region, endpoint in partition["services"].get(service, {"endpoints": {}})["endpoints"].items()
        if region in REGIONS and any("fips" in variant["tags"] for variant in endpoint.get("variants", []))
    }


FUNCTIONS_OF_RULES = {
    "Fn::Equals": lambda one, other: one == other,
    "Fn::Not": lambda one: not one,
    "Fn::And": lambda *several: all(several),
    "Fn::Or": lambda *several: any(several),
    "Fn::Contains": lambda several, one: one in several,
}


def value(expression, given):
    """The value of an expression of the template's Rules. KeyError for a function that no rule uses yet."""
    if isinstance(expression, list):
        return [value(one, given) for one in expression]
    if not isinstance(expression, Mapping):
        return expression
    ((name, argument),) = expression.items()
    return given[argument] if name == "Ref" else FUNCTIONS_OF_RULES[name](*value(argument, given))


def refusals(region, services):
    """What CloudFormation would say before it deploys anything."""
    template = APPLICATION
    given = {name: str(rule["Default"]) for name, rule in template["Parameters"].items()}
    given |= {"AWS::Region": region, "FipsServices": ",".join(services)}
    return [
        one["AssertDescription"]
        for rule in template["Rules"].values()
        if value(rule.get("RuleCondition", True), given)
        for one in rule["Assertions"]
        if not value(one["Assert"], given)
    ]


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_a_fips_endpoint_that_a_region_lacks_is_refused_before_anything_is_deployed(region):
    chosen = [services for number in range(len(FIPS_SERVICES) + 1) for services in permutations(FIPS_SERVICES, number)]
    there = {service for service in FIPS_SERVICES if region in with_fips(service)}

    assert [one for one in chosen if (refusals(region, one) == []) != (set(one) <= there)] == []


def test_a_refusal_for_want_of_a_fips_endpoint_names_the_parameter_and_what_is_missing():
    assert refusals("eu-central-1", ["kms", "lambda"]) == [
        "FipsServices; in this Region no service but kms has a FIPS endpoint.",
        "FipsServices; in this Region no service but kms and secretsmanager has a FIPS endpoint.",
        "FipsServices; in this Region cloudformation and lambda have no FIPS endpoint.",
    ]


@pytest.mark.parametrize("page", [DEPLOYING, TEMPLATE], ids=lambda page: page.name)
def test_the_pages_say_where_there_are_fips_endpoints(page):
    commercial = [one for one in PARTITIONS if one["partition"] == "aws"]
    kms, secrets, stacks, functions, topics = (with_fips(service, commercial) for service in FIPS_SERVICES)
    of_the_united_states = {"us-east-1", "us-east-2", "us-west-1", "us-west-2"}

    assert len(commercial[0]["regions"]) / 2 < len(kms) < len(commercial[0]["regions"])
    assert secrets == of_the_united_states | {"ca-central-1", "ca-west-1"}
    assert stacks == functions == of_the_united_states
    assert topics == of_the_united_states | {"ca-west-1"}
    assert (
        "KMS has one in most Regions; Secrets Manager in the United States and Canada; CloudFormation and Lambda in the United "
        "States; SNS there and in Calgary"
    ) in flowing(page.read_text())


# ------------------------------------------------------------------------------------------- many accounts and Regions


def test_the_stack_sets_recipe_is_as_lambda_and_stack_sets_need_it():
    """Lambda takes code only from a bucket of its Region, and a StackSet takes no transform by itself."""
    code = model("lambda").shape_for("FunctionCode").members["S3Bucket"]
    stack_set = model("cloudformation").operation_model("CreateStackSet").input_shape.members
    assert "in the same Amazon Web Services Region as your function" in of_aws(code)
    assert "only when you provide a custom execution role template" in of_aws(stack_set["Capabilities"])

    (recipe,) = [block for block in blocks(DEPLOYING, "console") if "create-stack-set" in block]
    (release,) = [block for block in blocks(DEPLOYING, "console") if "artifact-bucket.yaml" in block]

    assert "--bucket $PREFIX-$AWS_REGION" in release
    assert "--template-body file://imported-key-material.json" in recipe
    assert "sam package" not in recipe


def test_the_bucket_of_a_release_can_be_read_by_the_organization_only():
    template, _ = cfnlint.decode.decode(str(REPOSITORY / "examples" / "artifact-bucket.yaml"))
    tls, read = template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]

    condition, statement, otherwise = read["Fn::If"]
    assert (condition, otherwise) == ("HasOrganization", {"Ref": "AWS::NoValue"})
    assert (statement["Effect"], statement["Action"]) == ("Allow", "s3:GetObject")
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}}
    assert tls["Effect"] == "Deny"


# -------------------------------------------------------------------------------------------------------------- policies


def test_the_resource_types_condition_is_not_taken_for_a_control():
    """IAM takes the key's value from the call's parameter ResourceTypes, which excludes capabilities."""
    parameter = model("cloudformation").operation_model("CreateStack").input_shape.members["ResourceTypes"]
    assert "IAM uses this parameter for CloudFormation-specific condition keys" in of_aws(parameter)
    assert "Only one of the Capabilities and ResourceType parameters can be specified" in of_aws(parameter)

    told = [one for page in PAGES for one in paragraphs(page) if "cloudformation:ResourceTypes" in one]

    assert told
    for one in told:
        assert "is no such control" in one
        assert "`--resource-types`" in one
        assert "`--capabilities`" in one


def arns_of_roles(node):
    match node:
        case str():
            return [node] if ":role/" in node else []
        case Mapping():
            return [arn for one in node.values() for arn in arns_of_roles(one)]
        case list():
            return [arn for one in node for arn in arns_of_roles(one)]
    return []


def operators_on_principals(node):
    match node:
        case Mapping():
            own = [name for name, one in node.items() if isinstance(one, Mapping) and "aws:PrincipalArn" in one]
            return own + [operator for one in node.values() for operator in operators_on_principals(one)]
        case list():
            return [operator for one in node for operator in operators_on_principals(one)]
    return []


@pytest.mark.parametrize("page", [*PAGES, *POLICIES], ids=lambda page: page.name)
def test_no_policy_names_a_role_by_a_pattern(page):
    """Anyone who may make roles would choose a name that fits. So the operator takes no pattern either."""
    given = [page.read_text()] if page.suffix == ".json" else blocks(page, "json")
    policies = [json.loads(block) for block in given if '"Effect"' in block]

    arns = [arn for policy in policies for arn in arns_of_roles(policy)]
    operators = {operator for policy in policies for operator in operators_on_principals(policy)}

    assert [arn for arn in arns if "*" in arn or "?" in arn] == []
    assert operators <= {"ArnEquals", "ArnNotEquals"}
    assert page.name != "deny-invoke.json" or (arns and operators)


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "examples" / "permissions").iterdir()), ids=lambda path: path.name
)
def test_each_file_of_permissions_is_named_on_the_page_and_denies_calls_of_aws(path):
    assert f"`examples/permissions/{path.name}`" in PERMISSIONS.read_text()

    if path.suffix == ".json":
        (statement,) = json.loads(path.read_text())["Statement"]
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert statement["Effect"] == "Deny"
        for service, operation in (action.split(":") for action in actions):
            assert operation in {*model(service).operation_names, "InvokeFunction"}


def test_the_page_says_how_long_a_missing_tag_is_read_again():
    (told,) = [
        one
        for one in paragraphs(PERMISSIONS)
        if "CloudFormation changes a tag by taking it away and setting it again" in one
    ]

    assert "reads a missing tag again for up to 20 seconds" in told


def test_the_threat_model_says_that_replicas_of_a_secret_carry_its_consent_along():
    told = flowing(THREAT_MODEL.read_text())

    assert "A replica of a secret has the tags of its primary, and a stack's name is free in each Region." in told


# ------------------------------------------------------------------------------------------------------------ staging labels


def test_the_pages_know_how_many_staging_labels_there_are():
    labels = model("secretsmanager").shape_for("SecretVersionStagesType").metadata["max"]
    own = labels - len(["AWSCURRENT", "AWSPREVIOUS"])
    previous = SCHEMA["properties"]["PreviousSecretVersionIds"]
    assert own < previous["maxItems"], "then each version could have its own, and the pages need not say this"

    page, example = flowing(ROTATION.read_text()), flowing((REPOSITORY / "examples" / "rotation.yaml").read_text())

    assert f"All versions together have {labels} labels at most, AWSCURRENT and AWSPREVIOUS among them" in page
    assert f"enough for {own}." in page
    assert f"All versions together have at most {labels} stages" in example
    assert f"From the {own + 1}th material on" in example
    for page in (DOCS / "key-custodian.md", REPOSITORY / "key_custodian" / "aws.py"):
        assert f"{labels} stages on all versions" in flowing(page.read_text())


# --------------------------------------------------------------------------------------------------- times, quotas, prices


def test_the_function_s_timeout_is_chosen_for_cloudformation_s_hour():
    """Lambda allows more by now, so its limit is not the reason."""
    function = APPLICATION["Resources"]["Function"]["Properties"]
    documented = of_aws(model("lambda").operation_model("CreateFunction").input_shape.members["Timeout"])
    lambdas_most = int(re.search(r"the maximum allowed value is ([\d,]+) seconds", documented)[1].replace(",", ""))
    tries, before_the_second = 1 + function["EventInvokeConfig"]["MaximumRetryAttempts"], 60

    assert tries * function["Timeout"] + before_the_second < 3600 < tries * lambdas_most + before_the_second
    assert [page.name for page in [*PAGES, TEMPLATE] if re.search(r"Lambda's (most|longest)", page.read_text())] == []


def test_quotas_are_named_as_service_quotas_lists_them():
    """There is no source for GetParametersForImport's code; there are many for the other one."""
    codes = {code for page in [*PAGES, *CODE] for code in re.findall(r"\bL-[0-9A-F]{8}\b", page.read_text())}
    query = "--query \"Quotas[?QuotaName=='GetParametersForImport request rate'"

    assert codes <= {"L-B99A9384"}
    assert error_texts.GET_PARAMETERS_QUOTA == "GetParametersForImport request rate"
    assert query in SCALE.read_text()
    assert query in (DOCS / "troubleshooting.md").read_text()


def test_what_a_month_costs_adds_up():
    text = DEPLOYING.read_text()
    told = flowing(text[text.index("## What a month costs") : text.index("## Check templates with cfn-lint")])

    key = float(re.search(r"a KMS key: ([\d.]+\d)", told)[1])
    secret = float(re.search(r"a secret: ([\d.]+\d)", told)[1])
    first, further = re.search(
        r"first key in a Region comes to ([\d.]+\d), .* each further one to ([\d.]+\d)", told
    ).groups()

    assert float(first) == pytest.approx(2 * key + secret)
    assert float(further) == pytest.approx(key + secret)
    assert re.search(r"first and second rotation add 1\.00 each, later ones nothing", told)
    assert "From AWS's price pages" in told
    assert re.search(r" \w+ 20\d\d\. Not confirmed: ", told)


# ---------------------------------------------------------------------------------------------- what CloudFormation does


def test_the_page_says_how_a_key_moves_to_another_stack():
    told = flowing(MOVING.read_text().partition("## Move a key to another stack")[2])

    assert "`AWS::CloudFormation::CustomResource` among the types that it does not take" in told
    assert "nothing that refers to `AWS::StackName`" in told
    assert "retain the key and the material, and write the tag's value out, with the names of both stacks" in told


def test_the_page_says_what_nobody_has_seen_of_a_function_that_is_gone():
    told = paragraph(DEPLOYING, "If the function is gone while resources exist")

    assert "fail: at once, or after ServiceTimeout, an hour; which of the two was not seen on AWS" in told


def test_the_design_says_what_separates_a_forward_request_from_its_own_rollback():
    told = paragraph(DESIGN, "LastUpdatedTime stays the update's through its whole rollback.")

    assert "only the resource's own LastUpdatedTimestamp separates" in told
