"""The calls below `/planfix`: the chat API of each account, and the calls that control the accounts."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from quart import Blueprint, Response, current_app, request

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body
from sandbox.control.tcp_connection import cut_connection
from sandbox.planfix.fault import Fault
from sandbox.planfix.form import parse_form
from sandbox.planfix.reply import Reply
from sandbox.planfix.settings import Settings
from sandbox.planfix.thread import Thread, list_threads

if TYPE_CHECKING:
    from sandbox.planfix.account import Account
    from sandbox.planfix.planfix import Planfix
    from sandbox.planfix.traffic_log import Call, Message, Status

Json = dict[str, Any]

ACCOUNT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
USERPIC = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">
<rect width="8" height="8" fill="#2f6fed"/><circle cx="4" cy="3" r="1.5" fill="#fff"/>
<path d="M1 8a3 3 0 0 1 6 0" fill="#fff"/></svg>"""

blueprint = Blueprint("planfix", __name__, url_prefix="/planfix")


def planfix() -> Planfix:
    return cast("Planfix", current_app.extensions["planfix"])


def describe(account: Account) -> Json:
    return {
        "account": account.name,
        "url_planfix": f"{account.url}/webchat/api",
        **account.settings.model_dump(),
        "faults": [fault.model_dump(exclude_unset=True) for fault in account.faults],
    }


def describe_message(message: Message) -> Json:
    """Show a message in the contract's shape; a file has an `error` only if it was not fetched."""
    shown = asdict(message)
    del shown["at"]
    for file in shown["attachments"]:
        del file["url"]
        if file["error"] is None:
            del file["error"]
    return shown


@blueprint.get("")
async def get_accounts() -> list[Json]:
    return [describe(account) for account in planfix().accounts.values()]


@blueprint.put("/<name>")
async def put_account(name: str) -> Json:
    if not ACCOUNT_NAME.fullmatch(name):
        words = "an account is named with Latin letters, digits, dots, dashes, underscores"
        raise ControlError(400, "invalid_request", words)
    return describe(planfix().put_account(name, await read_body(Settings)))


@blueprint.post("/<name>/webchat/api")
async def post_chat_api(name: str) -> Response:
    body = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    answer = await planfix().answer(name, parse_form(request.headers.get("Content-Type", ""), body))
    if answer is None:
        cut_connection()
        return Response(status=503)
    return Response(answer.body, answer.status, answer.headers)


@blueprint.get("/<name>/calls")
async def get_calls(name: str) -> list[Call]:
    return planfix().account(name).journal.calls


@blueprint.get("/<name>/messages")
async def get_messages(name: str) -> list[Json]:
    return [describe_message(message) for message in planfix().account(name).journal.messages]


@blueprint.get("/<name>/statuses")
async def get_statuses(name: str) -> list[Status]:
    return planfix().account(name).journal.statuses


@blueprint.get("/<name>/threads")
async def get_threads(name: str) -> list[Thread]:
    account = planfix().account(name)
    return list_threads(account.journal, account.tasks_and_contacts)


@blueprint.post("/<name>/reply")
async def post_reply(name: str) -> Json:
    delivery = await planfix().reply(name, await read_body(Reply))
    return {"message_id": delivery.message_id, "status": delivery.status, "body": delivery.body}


@blueprint.post("/<name>/faults")
async def post_fault(name: str) -> Json:
    account = planfix().account(name)
    account.add_fault(await read_body(Fault))
    return describe(account)


@blueprint.delete("/<name>/faults")
async def delete_faults(name: str) -> Json:
    account = planfix().account(name)
    account.clear_faults()
    return describe(account)


@blueprint.get("/<name>/filelink/<key>/<file_name>")
async def get_file(name: str, key: str, file_name: str) -> Response:
    account = planfix().account(name)
    file = account.offered.get(key) or account.received.get(key)
    if file is None or file.name != file_name:
        raise ControlError(404, "not_found", "no file under this link")
    headers = {"Content-Disposition": "attachment", "Cache-Control": "no-store"}
    return Response(file.content, 200, headers, content_type=file.content_type)


@blueprint.get("/<name>/userpic/1.svg")
async def get_userpic(name: str) -> Response:
    planfix().account(name)
    return Response(USERPIC, content_type="image/svg+xml")
