"""What is asked for: how many resources start at once, at which rate KMS lets them through, and what else bounds them.

Where a figure comes from AWS, its page is named. Where AWS gives none, it is said to be assumed.
"""

from dataclasses import dataclass

# Assumed: AWS documents no rate at which CloudFormation starts resources that depend on nothing.
STARTS_PER_SECOND = 20.0
# Lambda quotas: 1,000 concurrent executions in an account and Region, unless less or more is agreed.
CONCURRENCY = 1000
# Assumed: from one resource's answer to the start of the one that depends on it.
NEXT_STARTS_AFTER_SECONDS = 1.0
STACKS_MAX = 20


@dataclass(frozen=True, slots=True)
class Crowd:
    """`rate`: requests of GetParametersForImport a second. `stacks`: among so many the resources are shared out.

    `burst`: how many requests KMS lets through at once after it was left alone. One: the least that can be. `lanes`: each
    stack's resources in so many chains of DependsOn; 0: none depends on another.
    """

    resources: int
    rate: float
    seed: int
    stacks: int = 1
    lanes: int = 0
    burst: float = 1.0
    starts_per_second: float = STARTS_PER_SECOND  # of each stack
    concurrency: int = CONCURRENCY

    def __post_init__(self) -> None:
        if not 1 <= self.stacks <= STACKS_MAX or self.resources < self.stacks:
            raise ValueError(f"{self.resources} resources can't be shared out among {self.stacks} stacks")
        if self.lanes < 0 or self.concurrency < 1:
            raise ValueError(f"{self.lanes} lanes, or {self.concurrency} invocations at once, can't be")
        if self.rate <= 0:
            raise ValueError(f"KMS must let some through, and the rate is {self.rate}")

    @property
    def floor_seconds(self) -> float:
        """Nobody can be faster: as long as the quota takes to let all of them through."""
        return self.resources / self.rate

    def resources_of(self, stack: int) -> int:
        """As even as may be."""
        return self.resources // self.stacks + (stack < self.resources % self.stacks)
