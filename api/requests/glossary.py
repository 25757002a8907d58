"""What a field of a certain name means in every model, for models that do not describe it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Schema = dict[str, Any]

MEANINGS: Mapping[str, str] = {
    "accepted": "how many recipients will be notified",
    "account": "the account at TeamFlame; null if nobody has signed in",
    "alarms": "the alarms, newest first",
    "assignee_ids": "ids of the people to whom the task is assigned",
    "assignees": "the people to whom the task is assigned",
    "at": "when it happened",
    "attachments": "files, each with its address and its name",
    "attempts": "how often its delivery was tried",
    "attention": "whether a person has to act, or the gateway is dealing with it",
    "author": "who wrote it",
    "backlog": "messages that wait to be delivered",
    "began": "when the gateway last heard Telegram before the outage",
    "board": "the board's id",
    "board_id": "the board's id",
    "boards": "the boards of the project",
    "bot": "the bot's id in Telegram",
    "bots": "all bots, or those of one client",
    "burst": "how many first messages may follow each other without a pause",
    "buttons": "rows of buttons under the message",
    "chatId": "the chat: `<number>_<Telegram user id>`",
    "chat_id": "the chat in Planfix: `<number>_<Telegram user id>`",
    "chats": "which private chats go to Planfix",
    "client": "the client's name",
    "cmd": "always `newMessage`",
    "code": "stands for the cause; the same in all languages",
    "color": "the column's color, as TeamFlame names it",
    "column_id": "the column's id",
    "columns": "the columns from left to right, each with its tasks",
    "comment": "the id of the comment in Planfix",
    "comments": "the comments, oldest first",
    "contactId": "the contact's id in Telegram",
    "contactPhone": "phone numbers of people, separated by commas",
    "created": "when it was made",
    "data": "the values for the template's fields",
    "dead": "dead letters that nobody has replayed or dismissed yet",
    "dedup_key": "a second notification with the same key is not sent",
    "delivered": "how many of them were delivered",
    "description": "the description of the task, as plain text",
    "detail": "the same in more words; may be empty",
    "direction": "`in`: only messages to Planfix, `out`: only messages to Telegram",
    "dismissed": "how many dead letters were dismissed",
    "dry_run": "only check the recipients and the text; send nothing",
    "due": "when the task is due",
    "email": "the e-mail address of the account at TeamFlame",
    "enabled": "whether first messages to strangers are held back at all",
    "entities": "the formatted parts of the text",
    "entries": "the entries, newest first",
    "error": "stands for what went wrong; the same in all languages",
    "event": "what happened, for example `task.created`",
    "expires_at": "when it expires",
    "first": "when the first of these tries failed",
    "first_contacts": "first messages to strangers, of which Telegram allows few",
    "first_contacts_at_most": "first messages to strangers in 24 hours, when the growth has ended",
    "first_contacts_per_day": "first messages to strangers in 24 hours, on the first day",
    "first_name": "the first name in Telegram",
    "format": "how the text is marked up",
    "found": "how many messages were written during the outage",
    "from_column_id": "where the task was when it was shown; if it is elsewhere by now, the call fails",
    "goes": "whether the chat goes to Planfix",
    "growth_per_day": "by how many the budget for strangers grows with each day",
    "host": "the host name or address",
    "id": "the id by which other calls name it",
    "is_closed": "whether tasks in this column count as done",
    "key": "the key of the bot; keep it, it cannot be shown again",
    "kind": "its kind",
    "kinds": "for each kind of event, whether the person is notified of it",
    "language": "`en`, `ru` or `uk`",
    "last": "when the last of these tries failed",
    "left": "how many more are allowed now",
    "length": "its length",
    "limit": "the most entries to return",
    "link": "the address of the task in Planfix",
    "look_ups": "searches for people by their phone numbers, of which Telegram allows few",
    "look_ups_per_day": "searches by phone number in 24 hours",
    "memory": "bytes of all its workers together",
    "message": "the text, as Planfix marks it up",
    "messageId": "the id of the message in Planfix; a repeat with the same id is not sent twice",
    "message_id": "the gateway's id of the message",
    "messages": "the messages, newest first",
    "method": "how to log in",
    "missing": "how many updates or chats could not be read, so that messages may be missing",
    "name": "the name",
    "name_session": "the name of a Telethon session file in `path_session`",
    "next_try": "when it is tried again, if it waits for that",
    "node": "the node's name",
    "nodes": "all nodes, including those that are gone",
    "not_before": "send it at this time, not at once",
    "notification": "the notification's id",
    "number": "the Telegram account: digits, with or without +",
    "numbers": "the numbers, digits without +",
    "offset": "where it begins",
    "ok": "whether everything is right",
    "online": "how many of them are online",
    "password": "the password",
    "path_session": "the folder of the session file, inside SESSION_ROOT",
    "people": "the people",
    "phone": "the phone number, if it is visible",
    "pid": "the id of the process",
    "planfix_rest_token": "a token for Planfix's REST API",
    "planfix_rest_url": "the address of Planfix's REST API; with it answers become comments in the task",
    "port": "the port",
    "priority": "the priority, as TeamFlame names it",
    "project_id": "the project's id",
    "projects": "the projects of the space",
    "providerId": "the provider's name in Planfix",
    "provider_id": "the provider's name in Planfix",
    "proxy": "the proxy through which the number connects to Telegram",
    "pts_from": "Telegram's count of updates at the beginning of the outage",
    "pts_to": "Telegram's count of updates at its end",
    "purge": "also end the login at Telegram and erase the data",
    "qr_url": "what the QR code says, for a program that draws it itself",
    "receipts": "the receipts, newest first",
    "recipients": "one entry for each recipient",
    "rejected": "who will not be notified, and why",
    "replayed": "how many messages are sent again",
    "selection": "the board that was chosen last",
    "settings": "the settings of the budgets",
    "silent": "let the message make no sound",
    "since": "since when",
    "space_id": "the space's id",
    "spaces": "the spaces of the account",
    "start": "when the work on the task starts",
    "start_param": "the parameter of the link that opened the Mini App",
    "state": "the state of the number",
    "states": "the states, newest first",
    "status": "`online` while messages get through",
    "string_session": "the session as a Telethon StringSession",
    "summary": "the selected numbers, added up",
    "task": "the task's id",
    "task_id": "the task's id",
    "tasks": "the tasks, in their order",
    "telegramUserId": "the contact's id in Telegram",
    "telegramUserName": "the contact's user name in Telegram",
    "template": "the name of the template, instead of a text",
    "text": "the text",
    "times": "how many tries failed for this reason",
    "title": "the title",
    "to": "a user id, `@name`, `+phone`, `chat:-100…`, `chat:-100…/topic:7` or `alias:ops`",
    "token": "proves later calls, in `Authorization: Bearer …`",
    "token_planfix": "the key with which Planfix's chat API is called",
    "type": "its kind",
    "updated": "when it was last changed",
    "url": "the address",
    "url_planfix": "the address of Planfix's chat API",
    "used": "how many of them are spent",
    "user": "the person in Telegram",
    "user_email": "the employee who counts as the author of what the owner writes on another device",
    "user_id": "the person's id in Telegram",
    "username": "the user name in Telegram, without @",
    "value": "the address or the language that belongs to it; may be empty",
    "variance": "the share by which the pauses between first messages vary",
    "wait": "seconds to wait for the outcome",
    "was_running": "whether it was supposed to run before",
    "web_app": "the address of the Mini App that the button opens",
    "who": "`operator`, `client`, `login link` or `gateway`",
    "worker": "the process that runs it; null while there is none",
}

OF: Mapping[str, str] = {
    "ActionAnswer.number": "the number that something was done with",
    "AuditEntry.action": "what was done, for example `restarted`",
    "ButtonBody.data": "what the bot receives when the button is pressed",
    "ButtonBody.text": "what is written on the button",
    "ButtonBody.url": "the address that the button opens",
    "ErrorAnswer.detail": "what went wrong, in words; for wrong fields a list of `field` and `reason`",
    "CodeEntry.code": "the code that Telegram has sent",
    "PasswordEntry.password": "the password of two-step verification",
    "MessageAnswer.state": "`dead`: it is not tried any more; `dismissed`: somebody has looked at it",
    "ChangedNumber.name": "the client's name",
    "NewNumber.name": "the client's name",
    "StoppedNumber.name": "the client's name",
    "NodeAnswer.numbers": "how many numbers it runs",
    "NodeAnswer.state": "`gone`: it does not beat any more; `fenced`: it has lost its numbers",
    "NodeAnswer.url": "the address at which other nodes reach it",
    "PathAnswer.state": "`dead`: it is not tried any more; `dismissed`: somebody has looked at it",
    "PlanfixEventBody.status": "the new status of the task",
    "ClientAnswer.numbers": "how many numbers the client has",
    "RecipientAnswer.error": "why it failed",
    "RecipientAnswer.message_id": "the id of the message in Telegram",
    "RecipientAnswer.state": "`expired`: its time had passed before it could be sent",
    "SummaryAnswer.numbers": "how many numbers were selected",
    "TaskAnswer.number": "the number of the task that people use, for example `SHP-7`",
    "WholeTaskAnswer.number": "the number of the task that people use, for example `SHP-7`",
    "HealthAnswer.status": "`ok`; of `/readyz`, `ready`",
}
"""Where a field means something else in one model, under the title of the model."""


def describe_fields(schema: Schema) -> None:
    """Add its meaning to every field, parameter and body that has none."""
    for component in schema["components"]["schemas"].values():
        _describe(component)
    for operation in operations(schema):
        for parameter in operation.get("parameters", ()):
            _name_meaning(parameter, "", parameter["name"])
        for media in media_of(operation):
            _describe(media["schema"])


def operations(schema: Schema) -> Iterator[Schema]:
    return (each for path in schema["paths"].values() for each in path.values())


def media_of(operation: Schema) -> Iterator[Schema]:
    """Return everything with a schema that goes in or out with a call."""
    parts = [operation.get("requestBody", {}), *operation["responses"].values()]
    return (media for part in parts for media in part.get("content", {}).values())


def _describe(schema: Schema) -> None:
    for name, field in schema.get("properties", {}).items():
        _name_meaning(field, schema.get("title", ""), name)


def _name_meaning(field: Schema, title: str, name: str) -> None:
    meaning = OF.get(f"{title}.{name}") or MEANINGS.get(name)
    if meaning and not field.get("description"):
        field["description"] = meaning
