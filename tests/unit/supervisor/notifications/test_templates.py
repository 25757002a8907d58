"""Templates are filled in safely: data is escaped, fields are required, bombs do not go off."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.errors import FieldMissing, TemplateInvalid, TemplateTooCostly
from supervisor.notifications.formatting.templates import (
    MOST_VALUES,
    Template,
    TextFormat,
    check_template,
    render_template,
)

HOSTILE = '<a href="tg://user?id=1">x</a> & *b* [t](https://e.com)'
GROWING = '| replace: "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"' * 6
# More than 700 000 filters, which take several times as long as a template may.
_FILTERS = "{{ a " + "| upcase | downcase " * 400 + "}}"
LONG_CHAIN = f"{{% for i in l %}}{{% for j in l limit: 9 %}}{_FILTERS}{{% endfor %}}{{% endfor %}}"


@pytest.mark.parametrize("text_format", list(TextFormat))
def test_data_makes_no_marks(text_format: TextFormat) -> None:
    """Whatever is filled in appears as it is, in every format."""
    rendered = render_template(Template("{{ value }}", text_format), {"value": HOSTILE})

    assert (rendered.text, rendered.marks) == (HOSTILE, ())


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{{ title }}", "title"),
        ("{{ task.title }}", "task.title"),
        ("{% if due %}x{% endif %}{{ due }}", "due"),
        ("{{ due | upcase }}", "due"),
        ("{{ x.__class__ }}", "x.__class__"),
    ],
)
def test_missing_field_is_named(text: str, field: str) -> None:
    """A template never sends a text with holes; the missing field is named."""
    with pytest.raises(FieldMissing) as raised:
        render_template(Template(text), {"task": {}, "x": "y"})

    assert raised.value.detail == field


@pytest.mark.parametrize(
    "text",
    [
        "{% if due %}until {{ due }}{% else %}any day{% endif %}",
        '{{ due | default: "any day" }}',
        '{% unless task.due == "today" %}any day{% endunless %}',
    ],
)
@pytest.mark.parametrize("text_format", list(TextFormat))
def test_missing_field_may_be_asked_about(text: str, text_format: TextFormat) -> None:
    """A template may do without a field, if it says what is written instead."""
    assert render_template(Template(text, text_format), {"task": {}}).text == "any day"


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in (1..9999) %}{% for j in (1..9999) %}y{% endfor %}{% endfor %}",
        "{% for i in l %}{% for j in l %}{% for k in l %}y{% endfor %}{% endfor %}{% endfor %}",
        "{% for i in (1..10000000000) reversed %}{% break %}{% endfor %}",
        '{{ (1..1000000000) | join: "," }}',
        '{% assign s = a %}{% for i in l %}{% assign s = s | append: s %}{% endfor %}',
        "{{ a " + GROWING + "}}",
        '{% assign y = 9 %}{% for i in l %}{% assign y = y | times: y %}{% endfor %}',
        '{{ "2026-01-01" | date: "%9999999d" }}',
        LONG_CHAIN,
        "x" * 20_000,
        "{% for i in l %}" + "y" * 5000 + "{% endfor %}",
    ],
)  # fmt: skip
def test_bomb_does_not_go_off(text: str) -> None:
    """What would take the machine's time or memory is stopped, and said to be too costly."""
    with pytest.raises(TemplateTooCostly):
        render_template(Template(text), {"a": "a" * 50, "l": list(range(100))})


@pytest.mark.parametrize(
    "data",
    [
        {"a": "x" * 100_000},
        {"a": list(range(MOST_VALUES + 1))},
        {"a": [[[[[[[[[[1]]]]]]]]]]},
    ],
)
def test_too_much_data_is_refused(data: dict[str, Any]) -> None:
    """Data that is too long, too wide or too deep is refused before anything is rendered."""
    with pytest.raises(TemplateTooCostly):
        render_template(Template("x"), data)


@pytest.mark.parametrize(
    "text", ["{{ a", "{% nothing %}", "{{ a | nothing }}", '{% include "a" %}']
)
def test_wrong_template_is_refused(text: str) -> None:
    """A template with a mistake in it can be neither kept nor rendered."""
    with pytest.raises(TemplateInvalid):
        check_and_render(text)


def check_and_render(text: str) -> None:
    check_template(Template(text))
    render_template(Template(text), {"a": "b"})


@pytest.mark.parametrize(
    "text", ["{{" * 5000, "{%" * 5000, "{{ a }} {{ a", "{{ a {{ b }}", "{% if a }}"]
)
def test_tag_without_end_is_refused_at_once(text: str) -> None:
    """The library would look for the end of each tag up to the end of the text, for seconds."""
    for use in (check_template, lambda template: render_template(template, {"a": "x"})):
        with pytest.raises(TemplateInvalid, match="a tag has no end"):
            use(Template(text))


@pytest.mark.parametrize("blank", [" ", "\n", "\t"])
def test_blank_without_end_is_refused_at_once(blank: str) -> None:
    """The library would divide a long blank in a tag in every possible way."""
    with pytest.raises(TemplateTooCostly, match="blanks"):
        check_template(Template("{{" + blank * 9000 + "a }}"))
