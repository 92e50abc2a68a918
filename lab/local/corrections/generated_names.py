"""Stacks with the same name in two Regions get different names for resources whose names are account-wide.

MiniStack makes a name from the stack's name and the logical id, without the Region. But role names are account-wide, and
bucket names global: the application in a second Region would take the first application's role as its own, and overwrite its
rights. On AWS such a name ends in random characters (CloudFormation User Guide, "Name type").
"""

from typing import Any

from ministack.core.responses import get_region
from ministack.services.cloudformation import provisioners

_physical_name = provisioners._physical_name


def apply() -> None:
    provisioners._physical_name = physical_name


def physical_name(stack_name: str, logical_id: str, **more: Any) -> str:
    seed = provisioners._NAME_SEED.set(f"{get_region()} {provisioners._NAME_SEED.get()}")
    try:
        return str(_physical_name(stack_name, logical_id, **more))
    finally:
        provisioners._NAME_SEED.reset(seed)
