"""Asks Planfix a harmless question to find out whether a number's address, key and provider are right."""

from __future__ import annotations

import json
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from session_worker.protocol.contract import PlanfixAccount

if TYPE_CHECKING:
    from supervisor.config import Config
    from supervisor.store.store import Store

LONGEST_DETAIL = 300  # characters
LONGEST_BODY = 10_000  # bytes
NOBODY = 1  # a contact that no number has: user ids of Telegram are larger


class Finding(StrEnum):
    """What a question to Planfix has shown."""

    OK = "planfix_ok"
    ADDRESS_WRONG = "planfix_address_wrong"
    ADDRESS_FORBIDDEN = "planfix_forbidden"
    UNAVAILABLE = "planfix_unavailable"
    KEY_WRONG = "planfix_unauthorized"
    PROVIDER_UNKNOWN = "planfix_provider_unknown"


class Checked(NamedTuple):
    """A finding, with what Planfix or the network answered."""

    finding: Finding
    detail: str = ""


class Draft(NamedTuple):
    """Settings that are not stored yet; what is None is taken from the number."""

    url: str | None = None
    token: str | None = None
    provider_id: str | None = None


class PlanfixCheck:
    """Calls Planfix as a worker does, under the same rules for addresses."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config

    async def check(self, number: str, draft: Draft) -> Checked:
        stored = await self._store.numbers.get(number)
        token = draft.token or (await self._store.numbers.secrets(number)).token_planfix
        account = PlanfixAccount(
            url=draft.url or stored.url_planfix,
            token=token,
            provider_id=draft.provider_id or stored.provider_id,
            user_email=None,
            may_be_private=self._config.allow_private_planfix,
        )
        return await ask_planfix(account, number)


async def ask_planfix(account: PlanfixAccount, number: str) -> Checked:
    """Ask for the task of a chat that does not exist: a right answer is that there is none.

    Planfix answers `Invalid token` to a wrong key and to an unknown provider. A second question, which
    names no provider, tells them apart: with the right key, Planfix says that the provider is missing.
    """
    checked = await _ask(account, number)
    if checked.finding is not Finding.KEY_WRONG:
        return checked
    again = await _ask(account.model_copy(update={"provider_id": ""}), number)
    if again.finding in {Finding.OK, Finding.PROVIDER_UNKNOWN}:
        return Checked(Finding.PROVIDER_UNKNOWN, checked.detail)
    return checked


async def _ask(account: PlanfixAccount, number: str) -> Checked:
    # Imported late: a gateway whose operator never asks needs no HTTP client.
    from session_worker.planfix.answer import PlanfixError, PlanfixForbidden
    from session_worker.planfix.client import PlanfixClient, PlanfixTimeouts

    client = PlanfixClient(account, number, PlanfixTimeouts(connect=5.0, answer=10.0))
    try:
        answer = await client.probe(NOBODY)
    except PlanfixForbidden as exc:
        return Checked(Finding.ADDRESS_FORBIDDEN, str(exc))
    except PlanfixError as exc:
        is_unknown = "cannot be found" in str(exc)
        finding = Finding.ADDRESS_WRONG if is_unknown else Finding.UNAVAILABLE
        return Checked(finding, str(exc)[:LONGEST_DETAIL])
    finally:
        await client.close()
    return judge_answer(answer.status, answer.body)


def judge_answer(status: int, body: bytes) -> Checked:
    """Tell what Planfix's answer means when it was asked for the task of an unknown chat."""
    error = _error_in(body)
    detail = f"{status}: {error}" if error else str(status)
    if status == HTTPStatus.UNAUTHORIZED or error.lower() == "invalid token":
        return Checked(Finding.KEY_WRONG, detail)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Checked(Finding.UNAVAILABLE, detail)
    if "provider" in error.lower() or error.lower() == "invalid parameters":
        return Checked(Finding.PROVIDER_UNKNOWN, detail)
    is_right = status in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST} and body.lstrip()[:1] != b"<"
    return Checked(Finding.OK if is_right else Finding.ADDRESS_WRONG, detail)


def _error_in(body: bytes) -> str:
    try:
        content = json.loads(body[:LONGEST_BODY])
    except (ValueError, RecursionError):
        return ""
    error = content.get("error") if isinstance(content, dict) else None
    return error[:LONGEST_DETAIL] if isinstance(error, str) else ""
