"""Reading the body of a chat API call."""

from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from sandbox.planfix.form import FORM_TYPE, Form, parse_form

# Surrogates have no UTF-8 form, so no client can send them.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_pairs_come_back_in_order(pairs: list[tuple[str, str]]) -> None:
    """Each field keeps all its values, any text, in the order they were sent."""
    form = parse_form(FORM_TYPE, urlencode(pairs).encode())

    for name, _ in pairs:
        assert list(form.all(name)) == [value for other, value in pairs if other == name]


@given(st.binary())
def test_any_bytes_are_read(body: bytes) -> None:
    """Whatever arrives makes a form, if an empty one."""
    assert isinstance(parse_form(FORM_TYPE, body), Form)


def test_charset_is_allowed() -> None:
    """A charset beside the content type does not matter."""
    assert parse_form("Application/X-WWW-form-urlencoded; charset=UTF-8", b"a=1").last("a") == "1"


def test_other_content_types_have_no_fields() -> None:
    """A body that is not declared as a form is none."""
    assert parse_form("application/json", b"a=1").values == {}
    assert parse_form("", b"a=1").values == {}


def test_last_value_counts() -> None:
    """Where a field is expected once its last value counts, as in PHP."""
    form = parse_form(FORM_TYPE, b"a=1&a=2")

    assert (form.last("a"), form.last("b"), form.single()) == ("2", "", {"a": "2"})
