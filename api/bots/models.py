"""The bodies of the calls about bots and the answers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from api.numbers.answers import NumberAnswer, Status
from api.requests.addresses import PlanfixAddress
from api.requests.body import (
    AbsentIfEmpty,
    Answer,
    Body,
    ClientName,
    NewProviderId,
    PlanfixToken,
    Text,
)
from supervisor.bots.bot_service import bot_of
from supervisor.numbers.state import State
from supervisor.store.values import BotDetails, NewNumber

if TYPE_CHECKING:
    from supervisor.store.people import Person

Language = Literal["en", "ru", "uk"]


class NewBot(Body):
    """A bot to start; with `url_planfix` what people write to it becomes tasks."""

    name: ClientName = Field(description="the client")
    token: Annotated[
        Text,
        Field(
            max_length=200,
            repr=False,
            examples=["123456:AA…"],
            description="the token that BotFather gave for the bot",
        ),
    ]
    url_planfix: Annotated[PlanfixAddress | None, AbsentIfEmpty] = None
    token_planfix: Annotated[PlanfixToken | None, AbsentIfEmpty] = Field(None, repr=False)
    provider_id: NewProviderId = "telegram"
    planfix_rest_url: Annotated[PlanfixAddress | None, AbsentIfEmpty] = None
    planfix_rest_token: Annotated[PlanfixToken | None, AbsentIfEmpty] = Field(None, repr=False)
    planfix_webhook_url: Annotated[PlanfixAddress | None, AbsentIfEmpty] = Field(
        None,
        repr=False,
        description="the address of an incoming JSON webhook of Planfix; "
        "without a REST key, answers go there",
    )
    language: Language | None = Field(
        None, description="the language of its texts; by default the gateway's"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.url_planfix is None) != (self.token_planfix is None):
            raise ValueError("url_planfix and token_planfix belong together: give both or neither")
        if (self.planfix_rest_url is None) != (self.planfix_rest_token is None):
            raise ValueError(
                "planfix_rest_url and planfix_rest_token belong together: give both or neither"
            )
        return self

    def as_value(self, language: str) -> NewNumber:
        """Return the bot, in this language if the call names none; raise TokenMalformed."""
        details = BotDetails(
            self.token,
            self.language or language,
            self.planfix_rest_url,
            self.planfix_rest_token,
            self.planfix_webhook_url,
        )
        return NewNumber(
            number=bot_of(self.token),
            client=self.name,
            url_planfix=self.url_planfix or "",
            token_planfix=self.token_planfix or "",
            provider_id=self.provider_id,
            bot=details,
        )


class CreatedBotAnswer(Answer):
    """The bot is registered. Its key is shown only in this answer."""

    bot: str = Field(description="its Telegram id")
    username: str
    key: str
    name: str
    status: Status
    state: State


class BotAnswer(NumberAnswer):
    """Everything about one bot; `number` is its Telegram id."""

    bot: str
    username: str
    language: str


class BotsAnswer(Answer):
    """All bots."""

    bots: list[BotAnswer]


class RegisteredAnswer(Answer):
    """Somebody who has registered with the bot."""

    user_id: int
    username: str | None
    phone: str | None = Field(description="digits, if it was shared")
    name: str
    language: str
    alias: str | None = Field(description="what came with their `/start`")
    muted: bool = Field(description="nothing is sent to them: they wrote /stop, or block the bot")


class RegisteredPeopleAnswer(Answer):
    """Who has registered with the bot, in the order in which they came."""

    people: list[RegisteredAnswer]


def describe_person(person: Person) -> RegisteredAnswer:
    return RegisteredAnswer.model_validate(person)
