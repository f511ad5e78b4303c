"""What is made only when somebody asks for it, so that until then nothing is imported for it."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Later(Generic[Made]):
    """A call that travels as bytes: whoever it is sent to imports what the call takes when it is made, not before."""

    written: bytes

    @classmethod
    def of(cls, call: Callable[[], Made]) -> "Later[Made]":
        """`call` is a function of a module, or a `partial` of one."""
        return cls(pickle.dumps(call, pickle.HIGHEST_PROTOCOL))

    def __call__(self) -> Made:
        return cast(Made, pickle.loads(self.written)())  # noqa: S301 - whoever deployed this wrote it
