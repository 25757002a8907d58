"""The settings of one Planfix account, as its integration window shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from sandbox.planfix.command import ProviderId

HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+")]


class Settings(BaseModel):
    """The keys, addresses and behaviour of one account.

    `get_task_as_string` switches getTask to the undocumented form seen at some accounts:
    `data` as JSON text that also holds `statusIsActive`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    planfix_token: Annotated[str, StringConstraints(min_length=1)]
    provider_id: ProviderId
    webhook_url: HttpUrl | None = None
    token: str = ""
    get_task_as_string: bool = False

    @field_validator("token", mode="before")
    @classmethod
    def no_token(cls, value: object) -> object:
        return "" if value is None else value

    def changed_by(self, new: Settings) -> Settings:
        """Return the settings after a change; fields that it leaves out stay the same."""
        return self.model_copy(update={name: getattr(new, name) for name in new.model_fields_set})
