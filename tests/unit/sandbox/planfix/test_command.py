"""Making a command of form fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.planfix.command import InvalidParameters, Link, NewMessage, parse_command
from sandbox.planfix.form import Form

HELLO: dict[str, tuple[str, ...]] = {
    "cmd": ("newMessage",),
    "providerId": ("telegram",),
    "chatId": ("1",),
    "contactId": ("2",),
    "contactName": ("Olena",),
    "message": ("Hello",),
}
COMMANDS = st.sampled_from(
    ["newMessage", "getTask", "getContact", "updateContact", "messageStatus"]
)


def test_attachments_are_paired_by_place() -> None:
    """The n-th name belongs to the n-th link."""
    files: dict[str, tuple[str, ...]] = {
        "attachments[name]": ("a", "b"),
        "attachments[url]": ("http://x/1", "http://x/2"),
    }

    command = parse_command(Form(HELLO | files))

    assert isinstance(command, NewMessage)
    assert command.attachments == (
        Link(name="a", url="http://x/1"),
        Link(name="b", url="http://x/2"),
    )


@pytest.mark.parametrize(
    ("text", "is_echo"),
    [("true", True), ("True", True), ("1", True), ("false", False), ("", False)],
)
def test_echo_is_a_flag(text: str, is_echo: bool) -> None:
    """The echo flag is read as forms write one; an empty field is none."""
    command = parse_command(Form(HELLO | {"isEcho": (text,)}))

    assert isinstance(command, NewMessage)
    assert command.is_echo is is_echo


def test_unknown_fields_do_no_harm() -> None:
    """Custom fields, or fields outside the docs, are not refused."""
    command = parse_command(Form(HELLO | {"data_City": ("Lviv",), "telegramUserId": ("7",)}))

    assert command.cmd == "newMessage"


@given(
    COMMANDS, st.dictionaries(st.sampled_from([*HELLO, "messageId", "messageStatus"]), st.text())
)
def test_any_fields_are_judged(cmd: str, fields: dict[str, str]) -> None:
    """Any fields make a command, or are refused in one way only."""
    form = Form({name: (value,) for name, value in fields.items()} | {"cmd": (cmd,)})

    try:
        command = parse_command(form)
    except InvalidParameters:
        return

    assert command.cmd == cmd
    assert "~" not in command.provider_id
