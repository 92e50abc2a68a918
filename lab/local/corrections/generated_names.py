"""What stacks of one name make in two Regions does not meet where names are the whole account's.

MiniStack makes a name out of the stack's and the logical id, and no Region. Roles are the account's, and buckets everybody's:
the application deployed in a second Region takes the first one's role for its own, and overwrites the role's rights with rights
in the second Region. On AWS such a name ends in random characters (CloudFormation User Guide, "Name type").
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
