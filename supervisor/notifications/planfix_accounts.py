"""Reads what Planfix knows of tasks and comments over its REST API, and writes comments."""

from __future__ import annotations

import html
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from supervisor.errors import GatewayError, NumberUnknown
from supervisor.notifications.planfix_event import plain_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from session_worker.planfix.rest import PlanfixRest, RestComment, RestPerson, RestTask
    from supervisor.config import Config
    from supervisor.store.store import Store

    T = TypeVar("T")

READING = 5.0  # seconds for one call
WRITING = 10.0
LONGEST_REST = (
    3600.0  # seconds, after which Planfix is called again whatever it said about its limit
)
PERSON_KEPT = 600.0  # seconds for which Planfix is not asked again about the same person
MOST_PEOPLE = 2000  # who are remembered

logger = logging.getLogger(__name__)


class PlanfixRefused(GatewayError):
    """Planfix did not do what was asked."""

    def __init__(self, detail: str, *, is_final: bool) -> None:
        super().__init__(detail)
        self.is_final = is_final


class Comment(NamedTuple):
    """A comment as plain text."""

    id: int
    text: str
    author: str
    is_hidden: bool
    author_id: str
    notified: tuple[str, ...]


class Rest(NamedTuple):
    """Until when Planfix is asked nothing, and whether Planfix itself has asked for that."""

    until: float
    is_wanted: bool


class PlanfixAccounts:
    """The accounts of all bots that have a key for the REST API, or an incoming webhook."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        self._rests: dict[str, Rest] = {}
        self._people: dict[tuple[str, str], tuple[float, RestPerson]] = {}

    async def can_read(self, number: str) -> bool:
        try:
            return (await self._store.bots.get(number)).planfix_rest_url is not None
        except NumberUnknown:
            return False

    async def address(self, number: str) -> str:
        """Return an address of the account; its web page has the same host."""
        try:
            bot = await self._store.bots.get(number)
        except NumberUnknown:
            return ""
        if bot.planfix_rest_url is None and bot.can_comment:
            return (await self._store.bots.secrets(number)).planfix_webhook_url or ""
        return bot.planfix_rest_url or ""

    async def can_comment(self, number: str) -> bool:
        try:
            return (await self._store.bots.get(number)).can_comment
        except NumberUnknown:
            return False

    async def read_comment(self, number: str, comment: str) -> Comment:
        return _plain(await self._ask(number, lambda rest: rest.comment(comment)))

    async def read_comments(
        self, number: str, task: str, *, is_urgent: bool = False
    ) -> list[Comment]:
        """Return the newest comments of a task."""
        listed = await self._ask(number, lambda rest: rest.comments(task), is_urgent=is_urgent)
        return [_plain(each) for each in listed]

    async def read_task(self, number: str, task: str) -> RestTask:
        return await self._ask(number, lambda rest: rest.task(task))

    async def read_person(self, number: str, identifier: str) -> RestPerson:
        now = time.monotonic()
        known = self._people.get((number, identifier))
        if known is not None and now < known[0]:
            return known[1]
        person = await self._ask(number, lambda rest: rest.person(identifier))
        if len(self._people) >= MOST_PEOPLE:
            self._people.clear()
        self._people[number, identifier] = now + PERSON_KEPT, person
        return person

    async def write(self, number: str, task: str, text: str, *, is_repeat: bool) -> int | None:
        """Write a comment; return its id, if Planfix tells it.

        A repeated try first looks for the comment of the earlier one. Through a webhook, comments
        cannot be read, so there the comment may be written twice if an answer was lost.
        """
        from session_worker.planfix.rest import RestFailed

        description = html.escape(text).replace("\n", "<br>")
        if not await self.can_read(number):
            webhook = await self._webhook(number)
            try:
                await webhook.call_webhook(task, description)
            except RestFailed as error:
                raise PlanfixRefused(str(error), is_final=error.is_final) from error
            return None
        if is_repeat:
            for each in await self.read_comments(number, task, is_urgent=True):
                if each.text.split() == text.split():
                    return each.id
        return await self._ask(
            number, lambda rest: rest.add_comment(task, description), WRITING, is_urgent=True
        )

    async def _ask(
        self,
        number: str,
        ask: Callable[[PlanfixRest], Awaitable[T]],
        seconds: float = READING,
        *,
        is_urgent: bool = False,
    ) -> T:
        """Ask Planfix; raise PlanfixRefused if that fails, or if Planfix is not asked for now.

        What a person waits for is asked although other questions have just failed.
        """
        from session_worker.planfix.rest import RestFailed

        if self.rests_for(number, is_urgent=is_urgent):
            raise PlanfixRefused("Planfix is not asked for now", is_final=False)
        try:
            answer = await ask(await self._rest(number, seconds))
        except RestFailed as error:
            if error.rest is not None:
                self.rest(number, min(error.rest, LONGEST_REST), str(error))
            raise PlanfixRefused(str(error), is_final=error.is_final) from error
        if self._rests.pop(number, None) is not None:
            logger.warning("bot %s: Planfix answers again", number)
        return answer

    def rest(self, number: str, seconds: float, reason: str, *, is_wanted: bool = True) -> None:
        """Ask Planfix nothing for so long; this is logged once until it answers again."""
        level = logging.DEBUG if number in self._rests else logging.WARNING
        logger.log(level, "bot %s: Planfix is not asked for %.0f s: %s", number, seconds, reason)
        self._rests[number] = Rest(time.monotonic() + seconds, is_wanted)

    def rests_for(self, number: str, *, is_urgent: bool = False) -> float:
        """Return for how many seconds Planfix is not asked, or not even what is urgent."""
        rest = self._rests.get(number)
        if rest is None or (is_urgent and not rest.is_wanted):
            return 0.0
        return max(0.0, rest.until - time.monotonic())

    async def _rest(self, number: str, seconds: float) -> PlanfixRest:
        url = (await self._store.bots.get(number)).planfix_rest_url
        if url is None:  # the bot was added again without it
            raise PlanfixRefused("the bot has no key for the REST API", is_final=True)
        token = (await self._store.bots.secrets(number)).planfix_rest_token
        return self._client(url, token or "", seconds)

    async def _webhook(self, number: str) -> PlanfixRest:
        url = (await self._store.bots.secrets(number)).planfix_webhook_url or ""
        return self._client(url, "", WRITING)

    def _client(self, url: str, token: str, seconds: float) -> PlanfixRest:
        # Imported late: a gateway whose bots have no such key needs no HTTP client.
        from session_worker.planfix.rest import PlanfixRest

        may_be_private = self._config.allow_private_planfix
        return PlanfixRest(url, token, may_be_private=may_be_private, seconds=seconds)


def _plain(comment: RestComment) -> Comment:
    return Comment(
        id=comment.id,
        text=plain_text(comment.text),
        author=plain_text(comment.author),
        is_hidden=comment.is_hidden,
        author_id=comment.author_id,
        notified=comment.notified,
    )
