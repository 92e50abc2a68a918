"""A crowd: how many resources start at once, at which rate KMS lets them through, and which other limits there are.

A figure from AWS names its page. Other figures are marked as assumed.
"""

from dataclasses import dataclass

# Assumed: AWS documents no rate at which CloudFormation starts independent resources.
STARTS_PER_SECOND = 20.0
# Lambda quotas: 1,000 concurrent executions in an account and Region by default.
CONCURRENCY = 1000
# Assumed: from one resource's answer to the start of the next resource, which depends on it.
NEXT_STARTS_AFTER_SECONDS = 1.0
STACKS_MAX = 20


@dataclass(frozen=True, slots=True)
class Crowd:
    """`rate`: requests of GetParametersForImport a second. `stacks`: how many stacks share the resources.

    `burst`: how many requests KMS lets through at once after a pause; 1 is the worst case. `lanes`: in how many chains of
    DependsOn each stack has its resources; 0: none depends on another.
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
            raise ValueError(f"{self.stacks} stacks can't share {self.resources} resources")
        if self.lanes < 0 or self.concurrency < 1:
            raise ValueError(f"{self.lanes} lanes, or {self.concurrency} invocations at once, are not possible")
        if self.rate <= 0:
            raise ValueError(f"the rate must be more than 0, and is {self.rate}")

    @property
    def floor_seconds(self) -> float:
        """The time that the quota needs to let all through. Nobody can be faster."""
        return self.resources / self.rate

    def resources_of(self, stack: int) -> int:
        """The resources of one stack, shared as evenly as possible."""
        return self.resources // self.stacks + (stack < self.resources % self.stacks)
