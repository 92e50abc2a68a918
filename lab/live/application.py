"""Deploys the application under the run's own name, as the README does, with its artifacts in the run's own bucket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lab.live.made import Made
from lab.local import deploy as local_deploy

DEPLOY_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Application:
    """`token`: the ServiceToken."""

    stack: str
    function: str
    token: str
    role_arn: str
    layer_arns: list[str]


def deploy(made: Made, bucket: str, parameters: Mapping[str, str] | None = None, suffix: str = "app") -> Application:
    """Builds and deploys it; deploys it again if it is there. Raises SamFailed."""
    account = made.account
    stack = made.list.note("application", made.name(suffix), account.region).name
    local_deploy.build()
    overrides = {"FunctionName": stack, "LogRetentionDays": "1", **account.application_parameters, **(parameters or {})}
    local_deploy.run_sam(
        [
            "deploy",
            f"--stack-name={stack}",
            f"--region={account.region}",
            f"--s3-bucket={bucket}",
            f"--s3-prefix={stack}",
            "--no-resolve-s3",
            "--capabilities=CAPABILITY_IAM",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--no-progressbar",
            "--parameter-overrides",
            *(f"{name}={value}" for name, value in overrides.items()),
        ],
        account.environment(),
        DEPLOY_SECONDS,
    )
    return look(made, stack)


def look(made: Made, stack: str) -> Application:
    """What is deployed in this stack."""
    found = made.account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    function: dict[str, Any] = made.account.client("lambda").get_function_configuration(
        FunctionName=outputs["ServiceToken"]
    )
    layers = [one["Arn"] for one in function.get("Layers", [])]
    return Application(stack, function["FunctionName"], outputs["ServiceToken"], outputs["RoleArn"], layers)
