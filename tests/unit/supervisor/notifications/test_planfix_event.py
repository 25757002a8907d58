"""What a script of Planfix sends is understood, however it is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.notifications.formatting.default_templates import OTHER_EVENT
from supervisor.notifications.notice import LONGEST_NOTICE
from supervisor.notifications.planfix_event import (
    fitting,
    keyboard_of,
    plain_text,
    read_event,
    repair_json,
    text_key,
)

FIELDS = {"event": "comment.added", "task": "86190", "comment": "77", "telegramUserId": "5"}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"event":"a","task":5}', {"event": "a", "task": 5}),
        ('```json\n{"task":"5"}\n```', {"task": "5"}),
        ('{"task":"5"', {"task": "5"}),
        ('{"telegramUserId":["1","2"]}', {"telegramUserId": ["1", "2"]}),
        ('{"telegramUserId":"["1","2"]"}', {"telegramUserId": ["1", "2"]}),
        ('{"text":"line\nbreak"}', {"text": "line\nbreak"}),
        ('{"task":"5","title":"He said "no", twice","event":"x"}',
         {"task": "5", "title": 'He said "no", twice', "event": "x"}),
        ('{"task":"5",}', {"task": "5"}),
        ("nonsense", None),
        ("[1]", None),
    ],
)  # fmt: skip
def test_broken_json_is_read(text: str, fields: dict[str, Any] | None) -> None:
    """Lists with and without quotes, quotes in texts, fences and a missing brace are understood."""
    assert repair_json(text) == fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"text":"abc,"task":5}', {"task": "5"}),
        ('{"task":"5,"event":"x"}', {"task": '5,"event":"x'}),
        ('{"text":"He said "no" , "task" : 5 }', {"text": 'He said "no', "task": "5"}),
        ('{"text":""no"","telegramUserId":["1","2"]}', {"text": '"no"', "telegramUserId": '["1","2"]'}),
    ],
)  # fmt: skip
def test_text_with_quotes_ends_before_the_next_field(text: str, fields: dict[str, Any]) -> None:
    """A text with quotes of its own ends where another field follows; one without an end is left out."""
    assert repair_json(text) == fields


@pytest.mark.parametrize(
    "text",
    [
        "```" + " " * 10**6 + "x",
        "{" + '"event": "' * 10**5,
        "{" + ',"event": "a" ' * 10**5 + "x",
        ',"text":[' * 10**5,
        '{"text"' + " " * 10**6,
        '"[' * 10**5,
    ],
    ids=["fence", "fields", "unended fields", "lists", "spaces", "quoted lists"],
)
def test_no_text_of_a_stranger_takes_long(text: str) -> None:
    """The key is read out of the body, so what a stranger may send must not keep the gateway busy.

    Where the time grew with the square or the cube of the length, this would never end.
    """
    assert len(repair_json(text) or {}) <= 1


@pytest.mark.parametrize("field", ["text", "title", "author"])
def test_reference_without_end_is_no_error(field: str) -> None:
    """A customer may write a reference with more digits than Python reads as a number."""
    event = read_event({"task": "5", field: f"a &#{'1' * 5000}; b"})

    assert event.fields[field] == "a \ufffd b"


def test_nul_and_unknown_names_are_left_out() -> None:
    """JSON can name what no database stores, and a stranger may choose the names of fields."""
    fields = repair_json('{"text":"ok\\u0000","task":"5","telegramUserName":"a\\u0000b c"}') or {}

    event = read_event({**fields, "\ud800": "x"})

    assert event.fields["text"] == "ok"
    assert event.given.encode()
    assert [each.to for each in event.rejected] == ["ab c"]


def test_lists_in_lists_are_left_out() -> None:
    """However deeply JSON is nested, it is read or left out."""
    nested = repair_json('{"task":5,"text":' + "[" * 400 + "]" * 400 + "}") or {}

    assert (read_event(nested).task, read_event(nested).fields["text"]) == ("5", "")


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever comes in, it is read or left out."""
    fields = repair_json(text) or {"text": text, "telegramUserName": text, "task": text}

    event = read_event(fields)

    assert set(event.fields) >= {"task", "title", "author", "status", "due", "text"}
    assert event.dedup_key(0.0)


def test_unknown_variable_is_empty() -> None:
    """A variable that the account does not have arrives as its name; it is left out and told."""
    event = read_event({**FIELDS, "author": "{{Комментарий.Автор}}", "title": "A {{b}}"})

    assert (event.fields["author"], event.fields["title"]) == ("", "A")
    assert event.unknown_variables == ("{{Комментарий.Автор}}", "{{b}}")


def test_recipients_are_named_in_any_way() -> None:
    """Ids, names, links, phones and fixed addresses are found, one by one or in lists."""
    event = read_event(
        {
            **FIELDS,
            "telegramUserId": '["5","6"]',
            "telegramUserName": "olena, @taras, https://t.me/ivan, alias:ops, chat:-100123",
            "contactPhone": ["+38 (050) 111-22-33", "380501112244", "none"],
        }
    )

    assert [(each.kind.value, each.value) for each in event.recipients] == [
        ("chat", "5"), ("chat", "6"),
        ("name", "olena"), ("name", "taras"), ("name", "ivan"), ("alias", "ops"),
        ("chat", "-100123"),
        ("phone", "380501112233"), ("phone", "380501112244"),
    ]  # fmt: skip
    assert [each.to for each in event.rejected] == ["none"]


def test_encoded_values_are_decoded() -> None:
    """With the box that encodes values, the texts come out as they were."""
    event = read_event({**FIELDS, "enc": "url", "text": "a%20%22b%22%0Ac"})

    assert event.fields["text"] == 'a "b"\nc'


def test_html_is_shown_as_text() -> None:
    """A comment's HTML becomes lines; nothing of it is left that could be taken for a tag."""
    assert plain_text("<p>a&nbsp;&lt;b&gt;</p><ul><li>one</li><li>two<br/>three</li></ul>") == (
        "a <b>\none\ntwo\nthree"
    )


def test_event_has_one_key() -> None:
    """A repeated call is the same event, another comment another one, a later change too."""
    status = {"event": "status.changed", "task": "5", "status": "Done"}

    assert read_event(FIELDS).dedup_key(0.0) == read_event(FIELDS).dedup_key(10**6)
    assert read_event(status).dedup_key(0.0) == read_event({**status, "token": "x"}).dedup_key(9.0)
    assert read_event(status).dedup_key(0.0) != read_event(status).dedup_key(10**6)
    assert text_key("5", "<p>a  b</p>", 0.0) == text_key("5", "a\nb", 1.0)


def test_other_recipients_and_other_events_have_other_keys() -> None:
    """A task that is assigned to one person after another is told to both, and so is a status with a comment."""
    assigned = {"event": "task.assigned", "task": "5", "telegramUserName": "@olena"}
    status = {**FIELDS, "event": "status.changed", "status": "Done"}

    events = (assigned, assigned | {"telegramUserName": "@taras"}, FIELDS, status)
    keys = [read_event(each).dedup_key(0.0) for each in events]

    assert len(set(keys)) == 4
    assert read_event(dict(reversed(assigned.items()))).dedup_key(0.0) == keys[0]


def test_halves_of_signs_are_replaced() -> None:
    """JSON can name half of a surrogate pair, which neither the database nor Telegram takes."""
    text = (
        r'{"token":"k\ud800","task":"5","title":"a\ud83d","tags\udc00":["\udc00b","\ud83d\ude00"]}'
    )

    found = repair_json(text)

    assert found == {"token": "k?", "task": "5", "title": "a?", "tags?": ["?b", "😀"]}


def test_buttons_lead_to_the_task() -> None:
    """One button opens the task where the account lives, the other answers in it."""
    event = read_event(FIELDS)
    keyboard = keyboard_of(event, "https://acme.planfix.ru/webchat/api", "ru", can_answer=True)

    assert keyboard is not None
    ((first, second),) = keyboard.rows
    assert (first.text, first.url) == ("Открыть", "https://acme.planfix.ru/task/86190?comment=77")
    assert (second.text, second.data) == ("Ответить", "planfix:86190")
    assert keyboard_of(event, "", "en", can_answer=False) is None
    for link in ("javascript:alert(1)", "https://", "http://a b"):
        hostile = read_event({**FIELDS, "link": link})
        assert keyboard_of(hostile, "", "en", can_answer=False) is None


def test_event_without_template_is_told_all_the_same() -> None:
    """An event that nobody foresaw has a template, too."""
    assert read_event({**FIELDS, "event": "moon.rose"}).template == OTHER_EVENT
    assert read_event({**FIELDS, "event": "TASK.CREATED"}).template == "task.created"
    assert read_event({**FIELDS, "event": "ticket.purchased"}).template == OTHER_EVENT


def test_long_texts_are_told_without_their_ends() -> None:
    """However long all fields are, together they fit into one notification."""
    long = dict.fromkeys(("title", "author", "status", "due", "assignee", "text"), "x" * 10**5)

    shown = fitting(read_event({**FIELDS, **long}).fields)

    assert sum(map(len, shown.values())) < LONGEST_NOTICE - 500
    assert shown["text"].endswith("x…")
    assert fitting({"title": "short", "task": "5"}) == {"title": "short", "task": "5"}
