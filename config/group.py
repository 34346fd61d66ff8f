"""The base of every group of settings."""

from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from config.problems import Mistake, refuse


class Group(BaseModel):
    """A frozen table of settings that refuses keys it does not know.

    A group whose keys depend on each other overrides `mistakes`, so that all objections are told
    at once, each with its remedy.
    """

    # Inputs are hidden because a validation error may be logged, and an input may be a secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def mistakes(self) -> Iterable[Mistake]:
        """What is wrong with these settings taken together, once each key is right by itself."""
        return ()

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        refuse(self.mistakes())
        return self
