"""Deploys the application under the run's own name, as the README does, with its artifacts in the run's own bucket."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lab.live.account import Account
from lab.live.made import Made
from lab.local import deploy as local_deploy

DEPLOY_SECONDS: Final = 600
CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")  # the second for SAM's transform


@dataclass(frozen=True, slots=True)
class Application:
    """`token`: the ServiceToken."""

    stack: str
    function: str
    token: str
    role_arn: str
    layer_arns: list[str]


def deploy(made: Made, bucket: str, parameters: Mapping[str, str] | None = None, suffix: str = "app") -> Application:
    """Deploys what is built (`make build`); deploys it again if it is there. Raises SamFailed."""
    account = made.account
    stack = made.note("application", suffix)
    overrides = _overrides(account, stack, parameters)
    where = [f"--s3-bucket={bucket}", f"--s3-prefix={stack}", "--no-resolve-s3"]
    local_deploy.run_deploy(stack, account.region, where, overrides, account.environment(), DEPLOY_SECONDS)
    return look(made, stack)


def copy(made: Made, original: Application, suffix: str, parameters: Mapping[str, str] | None = None) -> str:
    """Begins to deploy it once more, under another name, from the same artifacts. Returns the stack's id."""
    cloudformation = made.account.client("cloudformation")
    stack = made.note("application", suffix)
    template = cloudformation.get_template(StackName=original.stack, TemplateStage="Original")["TemplateBody"]
    overrides = _overrides(made.account, stack, parameters)
    begun = cloudformation.create_stack(
        StackName=stack,
        TemplateBody=template if isinstance(template, str) else json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in overrides.items()],
        Capabilities=CAPABILITIES,
    )
    return str(begun["StackId"])


def change(made: Made, stack: str, parameters: Mapping[str, str]) -> None:
    """Begins to change parameters of a deployment."""
    known = made.account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Parameters"]
    kept = [
        {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        for one in known
        if one["ParameterKey"] not in parameters
    ]
    changed = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    made.account.client("cloudformation").update_stack(
        StackName=stack, UsePreviousTemplate=True, Parameters=[*kept, *changed], Capabilities=CAPABILITIES
    )


def _overrides(account: Account, stack: str, parameters: Mapping[str, str] | None) -> dict[str, str]:
    own = {"FunctionName": stack, "LogRetentionDays": "1"}
    return own | dict(account.application_parameters) | dict(parameters or {})


def look(made: Made, stack: str) -> Application:
    """What is deployed in this stack."""
    found = made.account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    function: dict[str, Any] = made.account.client("lambda").get_function_configuration(
        FunctionName=outputs["ServiceToken"]
    )
    layers = [one["Arn"] for one in function.get("Layers", [])]
    return Application(stack, function["FunctionName"], outputs["ServiceToken"], outputs["RoleArn"], layers)
