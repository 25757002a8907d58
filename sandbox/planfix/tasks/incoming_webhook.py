"""Incoming JSON webhooks: a call with the right code becomes a comment in the task that it names."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class IncomingWebhook(BaseModel):
    """A webhook of an account; nothing but its code protects it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(min_length=1, max_length=100)
    task: str = Field("$.task", description="the JSONPath of the task's number")
    comment: str = Field("$.comment", description="the JSONPath of the comment's HTML")
    author: str = "Robot"


class Reported(NamedTuple):
    """What a call says, by the paths of its webhook."""

    task: int
    comment: str


def read_call(webhook: IncomingWebhook, body: Any) -> Reported | None:
    """Return what is to be written; None if the paths lead nowhere."""
    task, comment = _found(body, webhook.task), _found(body, webhook.comment)
    if not str(task).isdecimal() or not isinstance(comment, str) or not comment:
        return None
    return Reported(int(str(task)), comment)


def _found(body: Any, path: str) -> Any:
    """Follow a path of names, such as `$.task.number`; other kinds of JSONPath are not supported."""
    for name in path.removeprefix("$.").split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body
