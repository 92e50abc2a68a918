"""The cfn-lint rules of `lint/`, run by cfn-lint: what a user reads before the deployment."""

import subprocess
import sys
from pathlib import Path

import pytest

from imported_key_material import properties
from imported_key_material.errors import Faults
from imported_key_material.lifecycle import attributes
from tests.support.linted import GOOD, KEY, LINT, NEVER, findings, linted, rules, with_property

WRAPPED = "      SecretWrapping: {Algorithm: SYMMETRIC_DEFAULT, KeyId: alias/transport}\n"


# ------------------------------------------------------------------------------------------------- what is as it should be


@pytest.mark.parametrize(
    "lines",
    [
        WRAPPED,
        "      ServiceTimeout: 120\n",
        "      ServiceTimeout: '3600'\n",
        "      ValidForDays: 364\n",
        "      ValidTo: '2030-01-31T12:00:00+01:00'\n",
        "      MaterialEncoding: HEX\n" + WRAPPED,
        "      NewMaterial: REFUSE\n",
        "      NewMaterial: ROTATE\n      SecretVersionId: 11111111-2222-3333-4444-555555555555\n",
        "      NewMaterial: STAGE\n      SecretVersionId: '{{resolve:ssm:/orders/version}}'\n",
        "      NewMaterial: !ImportValue orders-new-material\n",
        "      PreviousSecretVersionIds: [11111111-2222-3333-4444-555555555555, !ImportValue orders-version]\n",
        "      ExpectedCheckValue: CMAC:377822C093\n",
        "      SecretVersionId: '{{resolve:ssm:/orders/version}}'\n",
        "      SecretVersionStage: !ImportValue orders-stage\n",
        "      MaterialEncoding: !ImportValue orders-encoding\n" + WRAPPED,
        "      SecretWrapping: {Algorithm: !ImportValue orders-wrapping, KeyId: !Sub 'alias/${AWS::StackName}'}\n",
    ],
)
def test_a_right_declaration_is_left_alone(lines: str) -> None:
    assert with_property(lines) == []


def test_either_branch_of_a_condition_may_say_when_the_material_expires() -> None:
    parameters = (
        "Parameters:\n  Days: {Type: String, Default: ''}\nConditions:\n  Has: !Not [!Equals [!Ref Days, '']]\n"
    )
    expiry = (
        "      ValidForDays: !If [Has, !Ref Days, !Ref AWS::NoValue]\n"
        "      ValidTo: !If [Has, !Ref AWS::NoValue, '2030-01-31T12:00:00Z']\n"
    )
    assert findings(KEY + GOOD + expiry, before=parameters) == []


@pytest.mark.parametrize(
    "lines",
    [
        "SecretId: !Sub ['orders/${Name}', {Name: master-key}]",
        "KeyId: !Sub ['${Arn}', {Arn: !GetAtt Key.Arn}]",
        "Trigger: !Sub ['${Name}-1', {Name: !Ref AWS::StackName}]",
        "SecretWrapping: {Algorithm: SYMMETRIC_DEFAULT, KeyId: !Sub ['alias/${Name}', {Name: transport}]}",
        "SecretId: !If [Never, !Sub ['orders/${Name}', {Name: master-key}], !Sub ['${Name}/key', {Name: !Ref AWS::StackName}]]",
        "SecretWrapping: !If [Never, !Ref AWS::NoValue, {Algorithm: SYMMETRIC_DEFAULT, KeyId: !Sub ['alias/${A}', {A: b}]}]",
    ],
)
def test_the_variables_of_a_sub_are_no_properties(lines: str) -> None:
    name = lines.partition(":")[0]
    others = [line for line in GOOD.splitlines(keepends=True) if not line.startswith(f"      {name}:")]
    assert findings(KEY + "".join(others) + f"      {lines}\n", before=NEVER if "Never" in lines else "") == []


def test_a_mistake_in_a_function_of_cloudformation_s_is_said_once_in_the_words_of_cfn_lint() -> None:
    lines = "      Trigger: !FindInMap [Orders, live, trigger, {Default: a}]\n"
    found = linted(f"Mappings: {{Orders: {{live: {{trigger: b}}}}}}\nResources:\n{KEY}{GOOD}{lines}", rules())
    assert found == [
        "E1011 Additional properties are not allowed ('Default' was unexpected)",
        "E1011 'DefaultValue' is a required property",
    ]


def test_every_attribute_that_the_function_gives_may_be_read() -> None:
    outputs = "".join(f"  {name}: {{Value: !GetAtt Material.{name}}}\n" for name in attributes.NONE)
    assert findings(KEY + GOOD, after=f"Outputs:\n{outputs}") == []


def test_other_custom_resources_are_left_alone() -> None:
    other = "  Other:\n    Type: Custom::Other\n    Properties: {ServiceToken: arn, KeyID: x}\nOutputs:\n"
    assert findings(other, after="  Any: {Value: !GetAtt Other.Anything}\n") == []


# ----------------------------------------------------------------------------------------------------------- properties


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("      SecretID: a\n", "SecretID: There is no such property. Is it SecretId?"),
        ("      Plaintext: a\n", "Plaintext: There is no such property. Take it out."),
        (
            "      CheckValue: a\n",
            "CheckValue: This is an attribute, not a property. Take it out, and read it with Fn::GetAtt.",
        ),
        (
            "      ServiceTimeout: 119\n",
            (
                "ServiceTimeout: The value does not fit the property's rule. It must be a whole number of seconds "
                "from 120 to 3600."
            ),
        ),
        (
            "      ValidForDays: 365\n",
            "ValidForDays: The value does not fit the property's rule. It must be a whole number of days from 1 to 364.",
        ),
        (
            "      ValidTo: '2030-01-31'\n",
            (
                "ValidTo: The value does not fit the property's rule. It must be a time in ISO 8601 with its zone, such as "
                "2030-01-31T12:00:00Z."
            ),
        ),
        (
            "      NewMaterial: REPLACE\n",
            "NewMaterial: The value does not fit the property's rule. It must be one of REFUSE, STAGE, ROTATE.",
        ),
        (
            "      NewMaterial: STAGE\n",
            (
                "NewMaterial: STAGE and ROTATE need a pinned SecretVersionId, since a rotation can't be taken back. Declare "
                "SecretVersionId, the version that holds the new material."
            ),
        ),
        (
            "      NewMaterial: !If [Never, REFUSE, ROTATE]\n      SecretVersionStage: AWSCURRENT\n",
            (
                "NewMaterial: STAGE and ROTATE need a pinned SecretVersionId, since a rotation can't be taken back. Declare "
                "SecretVersionId, the version that holds the new material."
            ),
        ),
        (
            "      PreviousSecretVersionIds: []\n",
            (
                "PreviousSecretVersionIds: The value does not fit the property's rule. It must be a list of 1 to 25 different "
                "version ids of the secret."
            ),
        ),
        (
            "      PreviousSecretVersionIds: [11111111-2222-3333-4444-555555555555, 11111111-2222-3333-4444-555555555555]\n",
            (
                "PreviousSecretVersionIds: The value does not fit the property's rule. It must be a list of 1 to 25 different "
                "version ids of the secret."
            ),
        ),
        (
            "      PreviousSecretVersionIds: [AWSPREVIOUS]\n",
            (
                "PreviousSecretVersionIds: The value does not fit the property's rule. It must be a version id of the secret, "
                "32 to 64 characters."
            ),
        ),
        (
            "      MaterialEncoding: !If [Never, BASE46, HEX]\n",
            "MaterialEncoding: The value does not fit the property's rule. It must be one of RAW, BASE64, HEX, PEM.",
        ),
        (
            "      SecretWrapping: {Algorithm: SYMMETRIC_DEFAULT}\n",
            "SecretWrapping.KeyId: The property is missing. Declare the id, the ARN or the alias of a KMS key.",
        ),
        (
            "      SecretWrapping: {Algorithm: SYMMETRIC_DEFAULT, KeyId: alias/a, Key: b}\n",
            "SecretWrapping.Key: There is no such property. Is it SecretWrapping.KeyId?",
        ),
        (
            "      SecretWrapping: {Algorithm: AES, KeyId: alias/a}\n",
            (
                "SecretWrapping.Algorithm: The value does not fit the property's rule. It must be one of SYMMETRIC_DEFAULT, "
                "RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, RSA_AES_KEY_WRAP_SHA_1, RSA_AES_KEY_WRAP_SHA_256."
            ),
        ),
        (
            "      ValidForDays: 30\n      ValidTo: '2030-01-31T12:00:00Z'\n",
            "ValidForDays: ValidTo and ValidForDays are both declared, and they are two ways to say one thing. Keep one.",
        ),
        (
            "      SecretVersionStage: AWSCURRENT\n      SecretVersionId: 11111111-2222-3333-4444-555555555555\n",
            (
                "SecretVersionStage: SecretVersionId and SecretVersionStage are both declared, and they are two ways to say "
                "one thing. Keep one."
            ),
        ),
        (
            "      MaterialEncoding: PEM\n" + WRAPPED,
            (
                "MaterialEncoding: The value does not fit the property's rule. It must be BASE64 or HEX: with SecretWrapping "
                "it says how the ciphertext in the secret's text is encoded."
            ),
        ),
        (
            "      ExpectedCheckValue: '{{resolve:secretsmanager:orders:SecretString:check}}'\n",
            (
                "ExpectedCheckValue: The value contains {{resolve:, and CloudFormation does not resolve secretsmanager and "
                "ssm-secure references in custom resources. Name the secret in SecretId; its value never goes through a "
                "template."
            ),
        ),
        (
            "      Trigger: !Sub 'a {{resolve:ssm-secure:${AWS::StackName}}}'\n",
            (
                "Trigger: The value contains {{resolve:, and CloudFormation does not resolve secretsmanager and ssm-secure "
                "references in custom resources. Name the secret in SecretId; its value never goes through a template."
            ),
        ),
    ],
)
def test_a_wrong_property_is_named_with_its_rule(lines: str, sentence: str) -> None:
    never = "Conditions:\n  Never: !Equals [!Ref AWS::Region, nowhere]\n" if "Never" in lines else ""
    assert findings(KEY + GOOD + lines, before=never) == [f"E9901 {sentence}"]


def test_an_alias_is_not_a_key_id() -> None:
    declaration = GOOD.replace("!GetAtt Key.Arn", "alias/orders")
    assert findings(KEY + declaration) == [
        "E9901 KeyId: The value does not fit the property's rule. It must be the id or the ARN of a KMS key, not an alias."
    ]


@pytest.mark.parametrize(
    "key_id",
    ["!Ref Alias", "!Sub '${Alias}'", "!If [Never, !Ref Alias, !GetAtt Key.Arn]", "!If [Never, !Ref Key, !Ref Alias]"],
)
def test_the_name_of_an_alias_of_the_template_is_not_a_key_id_either(key_id: str) -> None:
    alias = "  Alias:\n    Type: AWS::KMS::Alias\n    Properties: {AliasName: alias/orders, TargetKeyId: !Ref Key}\n"
    declaration = GOOD.replace("!GetAtt Key.Arn", key_id)
    assert findings(KEY + alias + declaration, before=NEVER if "Never" in key_id else "") == [
        "E9901 KeyId: The value does not fit the property's rule. It must be the id or the ARN of a KMS key, not an alias."
    ]


@pytest.mark.parametrize("key_id", ["!Sub ['${Alias}', {Alias: !GetAtt Key.Arn}]", "!GetAtt Key.Arn"])
def test_an_alias_of_the_template_may_name_the_transport_key_and_a_variable_may_have_its_name(key_id: str) -> None:
    alias = "  Alias:\n    Type: AWS::KMS::Alias\n    Properties: {AliasName: alias/orders, TargetKeyId: !Ref Key}\n"
    declaration = GOOD.replace("!GetAtt Key.Arn", key_id)
    assert findings(KEY + alias + declaration + WRAPPED.replace("alias/transport", "!Ref Alias")) == []


def test_a_declaration_without_properties_names_all_that_is_missing() -> None:
    declaration = "  Material:\n    Type: Custom::ImportedKeyMaterial\n    Properties: {ServiceToken: arn}\n"
    assert findings(declaration) == [
        "E9901 KeyId: The property is missing. Declare the id or the ARN of a KMS key, not an alias.",
        (
            "E9901 SecretId: The property is missing. Declare the name or the ARN of a Secrets Manager secret, at most 2048 "
            "characters."
        ),
    ]


def test_a_parameter_whose_default_is_wrong_is_a_warning() -> None:
    parameters = "Parameters:\n  Days: {Type: String, Default: '500'}\n"
    assert findings(KEY + GOOD + "      ValidForDays: !Ref Days\n", before=parameters) == [
        (
            "W1030 ValidForDays: The value that Ref gives does not fit the property's rule. It must be a whole "
            "number of days from 1 to 364."
        )
    ]


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("      SecretVersionId: !Sub 'v-${AWS::Region}'\n", "SecretVersionId"),
        (
            "      SecretWrapping: {Algorithm: SYMMETRIC_DEFAULT, KeyId: !Sub 'x/${AWS::Region}'}\n",
            "SecretWrapping.KeyId",
        ),
    ],
)
def test_a_wrong_value_of_a_function_is_a_warning_that_speaks_of_no_parameter(lines: str, where: str) -> None:
    (found,) = with_property(lines)
    assert found.startswith(
        f"W1031 {where}: The value that Fn::Sub gives does not fit the property's rule. It must be "
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SecretID", "a"),
        ("secretVERSIONID", "a"),
        ("CheckValue", "a"),
        ("ServiceTimeout", "119"),
        ("KeyMaterialDescription", "é"),
        ("WrappingKeySpec", "RSA_1024"),
    ],
)
def test_the_words_are_those_of_the_function(name: str, value: str) -> None:
    faults = Faults()
    declared = {"ServiceToken": "arn", "KeyId": "a" * 8 + "-1111-1111-1111-" + "a" * 12, "SecretId": "s", name: value}
    properties.read(declared, faults)
    assert faults
    with pytest.raises(Exception) as refused:  # noqa: PT011  # its text is what is compared
        faults.raise_if_any()
    assert with_property(f"      {name}: '{value}'\n") == [f"E9901 {refused.value}"]


# ---------------------------------------------------------------------------------------------------- between resources


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (
            "!GetAtt Material.KeyARN",
            "Material.KeyARN: Custom::ImportedKeyMaterial has no such attribute. Is it KeyArn?",
        ),
        (
            "!Sub 'x ${Material.KeyARN}'",
            "Material.KeyARN: Custom::ImportedKeyMaterial has no such attribute. Is it KeyArn?",
        ),
        (
            "!GetAtt Material.State",
            (
                "Material.State: Custom::ImportedKeyMaterial has no such attribute. There are KeyArn, KeySpec, KeyMaterialId, "
                "ExpirationModel, CheckValue, KeyId, ValidTo."
            ),
        ),
    ],
)
def test_an_attribute_that_there_is_not_is_named(expression: str, sentence: str) -> None:
    assert findings(KEY + GOOD, after=f"Outputs:\n  Out: {{Value: {expression}}}\n") == [f"E9902 {sentence}"]


def test_a_variable_of_a_sub_is_no_attribute() -> None:
    output = "Outputs:\n  Out: {Value: !Sub ['${Material.Mine}', {Material.Mine: x}]}\n"
    assert findings(KEY + GOOD, after=output) == []


@pytest.mark.parametrize(
    ("type_", "token"),
    [
        ("Custom::ImportKeyMaterial", "arn"),
        ("Custom::importedkeymaterial", "arn"),
        ("AWS::CloudFormation::CustomResource", "!ImportValue imported-key-material-ServiceToken"),
    ],
)
def test_a_type_at_which_no_rule_looks_is_a_warning(type_: str, token: str) -> None:
    resource = f"  Material:\n    Type: {type_}\n    Properties: {{ServiceToken: {token}, SecretID: x}}\n"
    assert findings(resource) == [
        (
            f"W9906 Type: The function serves {type_} like Custom::ImportedKeyMaterial, but no rule here checks it. Write "
            "Custom::ImportedKeyMaterial, in a new resource: CloudFormation can't change the type of an existing resource."
        )
    ]


OTHER = GOOD.replace("Material:", "Other:", 1)
DAYS, UNTIL = "      ValidForDays: 30\n", "      ValidTo: '2030-01-31T12:00:00Z'\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DAYS, ""),
        ("", UNTIL),
        (DAYS, UNTIL),
        (DAYS, "      ValidForDays: '60'\n"),
        (UNTIL, UNTIL.replace("2030", "2031")),
    ],
)
@pytest.mark.parametrize("key_id", ["!GetAtt Key.Arn", "!Ref Key", "!Sub '${Key.Arn}'"])
def test_two_expiries_of_one_key_are_an_error(first: str, second: str, key_id: str) -> None:
    other = OTHER.replace("!GetAtt Key.Arn", key_id)
    assert findings(KEY + GOOD + first + other + second) == [
        (
            "E9907 KeyId: Material holds the same key, and declares another expiry. KMS keeps only the "
            "expiry of the last import. Declare the same ValidTo or ValidForDays in both."
        )
    ]


def test_two_expiries_of_a_key_that_is_not_in_the_template_are_an_error_too() -> None:
    uuid = "1234abcd-12ab-34cd-56ef-1234567890ab"
    arn = f"arn:aws:kms:eu-central-1:111122223333:key/{uuid}"
    good, other = GOOD.replace("!GetAtt Key.Arn", uuid), OTHER.replace("!GetAtt Key.Arn", arn)
    imported = [one.replace("!GetAtt Key.Arn", "!ImportValue orders-key") for one in (GOOD, OTHER)]
    for first, second in ((good, other), imported):
        assert [text[:5] for text in findings(first + DAYS + second)] == ["E9907"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),
        (DAYS, DAYS.replace("30", "'30'")),
        (UNTIL, "      ValidTo: '2030-01-31T13:00:00+01:00'\n"),
        (UNTIL, "      ValidTo: !ImportValue orders-until\n"),
        ("      ValidForDays: !ImportValue orders-days\n", ""),
    ],
)
def test_one_expiry_of_one_key_or_what_only_a_deployment_knows_is_left_alone(first: str, second: str) -> None:
    assert findings(KEY + GOOD + first + OTHER + second) == []


def test_two_expiries_of_two_keys_are_left_alone() -> None:
    keys = KEY + KEY.replace("Key:", "Second:", 1)
    assert findings(keys + GOOD + DAYS + OTHER.replace("Key.Arn", "Second.Arn")) == []
    nested = "  Nested:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: 'https://example.com/t'}\n"
    outputs = [one.replace("Key.Arn", f"Nested.Outputs.{name}") for one, name in ((GOOD, "A"), (OTHER, "B"))]
    assert findings(nested + outputs[0] + DAYS + outputs[1]) == []


def test_two_expiries_of_resources_that_are_never_there_together_are_left_alone() -> None:
    conditions = (
        "Parameters:\n  Stage: {Type: String}\nConditions:\n  Live: !Equals [!Ref Stage, live]\n"
        "  Test: !Not [!Condition Live]\n"
    )
    live, test = (
        one.replace("    Properties:", f"    Condition: {name}\n    Properties:")
        for one, name in ((GOOD, "Live"), (OTHER, "Test"))
    )
    assert findings(KEY + live + DAYS + test, before=conditions) == []
    one = conditions.replace("  Test: !Not [!Condition Live]\n", "")
    assert [text[:5] for text in findings(KEY + live + DAYS + OTHER, before=one)] == ["E9907"]


# ------------------------------------------------------------------------------------------------------- as a user runs it


def test_the_command_of_the_readme_prints_the_sentence_and_fails(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(f"Resources:\n{KEY}{GOOD}      SecretID: a\n", "utf-8")
    command = [str(Path(sys.executable).with_name("cfn-lint")), "template.yaml", "--append-rules", str(LINT)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stdout.splitlines()[0] == "E9901 SecretID: There is no such property. Is it SecretId?", run.stderr
    assert run.returncode == 2
