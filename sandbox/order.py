"""What the bodies of control calls have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Order(BaseModel):
    """The body of a control call; null stands for a field that is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def leave_out_nulls(cls, fields: Any) -> Any:
        """Drop what many libraries write for a field that is left out."""
        if not isinstance(fields, dict):
            return fields
        return {name: given for name, given in fields.items() if given is not None}
