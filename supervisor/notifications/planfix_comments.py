"""Reads and writes comments of Planfix's tasks over its REST API."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, NamedTuple

from supervisor.errors import GatewayError, NumberUnknown
from supervisor.notifications.planfix_event import plain_text

if TYPE_CHECKING:
    from session_worker.planfix.rest import PlanfixRest, RestComment
    from supervisor.config import Config
    from supervisor.store.store import Store

QUICK = 0.8  # seconds, while a script of Planfix waits for our answer
PATIENT = 10.0  # seconds


class PlanfixRefused(GatewayError):
    """Planfix's REST API did not do what was asked."""

    def __init__(self, detail: str, *, is_final: bool) -> None:
        super().__init__(detail)
        self.is_final = is_final


class Comment(NamedTuple):
    """A comment as plain text."""

    id: int
    text: str
    author: str
    is_hidden: bool


class PlanfixComments:
    """The comments of all accounts whose bots have a key for the REST API."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config

    async def has_key(self, number: str) -> bool:
        try:
            return (await self._store.bots.get(number)).planfix_rest_url is not None
        except NumberUnknown:
            return False

    async def read(self, number: str, comment: str) -> Comment:
        """Return a comment; raise PlanfixRefused if Planfix does not show it at once."""
        from session_worker.planfix.rest import RestFailed

        rest = await self._rest(number, QUICK)
        try:
            return _plain(await rest.comment(comment))
        except RestFailed as error:
            raise PlanfixRefused(str(error), is_final=error.is_final) from error

    async def write(self, number: str, task: str, text: str, *, is_repeat: bool) -> int:
        """Write a comment and return its id; a repeated try first looks for the earlier one's."""
        from session_worker.planfix.rest import RestFailed

        rest = await self._rest(number, PATIENT)
        words = text.split()
        try:
            if is_repeat:
                for each in map(_plain, await rest.comments(task)):
                    if each.text.split() == words:
                        return each.id
            return await rest.add_comment(task, html.escape(text).replace("\n", "<br>"))
        except RestFailed as error:
            raise PlanfixRefused(str(error), is_final=error.is_final) from error

    async def _rest(self, number: str, seconds: float) -> PlanfixRest:
        # Imported late: a gateway whose bots have no such key needs no HTTP client.
        from session_worker.planfix.rest import PlanfixRest

        bot = await self._store.bots.get(number)
        secrets = await self._store.bots.secrets(number)
        return PlanfixRest(
            bot.planfix_rest_url or "",
            secrets.planfix_rest_token or "",
            may_be_private=self._config.allow_private_planfix,
            seconds=seconds,
        )


def _plain(comment: RestComment) -> Comment:
    text, author = plain_text(comment.text), plain_text(comment.author)
    return Comment(comment.id, text, author, comment.is_hidden)
