"""What a part of the fuzzing tells: by operation how many answers there were of each status, and how long they took."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

_LONGEST = 5


@dataclass(frozen=True, slots=True)
class Told:
    failed: bool
    answers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def together(cls, told: Sequence[Self]) -> Self:
        answers: dict[str, Counter[str]] = {}
        seconds: Counter[str] = Counter()
        for each in told:
            seconds.update(each.seconds)
            for operation, statuses in each.answers.items():
                answers.setdefault(operation, Counter()).update(statuses)
        return cls(any(each.failed for each in told), answers, seconds)

    def lines(self, *, signed_in: bool) -> Iterator[str]:
        """What never succeeded is named, because nothing was tried behind its door."""
        statuses = sum((Counter(each) for each in self.answers.values()), Counter[str]())
        counts = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
        who = "signed in" if signed_in else "nobody"
        yield f"{who}: {len(self.answers)} operations, {statuses.total()} answers: {counts}"
        longest = Counter[str](self.seconds).most_common(_LONGEST)
        yield "waited longest for " + ", ".join(f"{what} ({seconds:.0f} s)" for what, seconds in longest)
        if signed_in:
            opened = {what for what, each in self.answers.items() if any(status.startswith("2") for status in each)}
            yield f"{len(opened)} of {len(self.answers)} operations succeeded at least once; those that never did:"
            yield ", ".join(sorted(self.answers.keys() - opened)) or "none"
