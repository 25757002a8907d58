"""The fields of a notification that come as JSON in a form."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from api.notifications.models import NotifyBody


@pytest.mark.parametrize("field", ["to", "data", "buttons", "attachments"])
@pytest.mark.parametrize("value", ["[" * 20_000, "[1", "[nonsense"])
def test_what_is_no_json_is_refused(field: str, value: str) -> None:
    """A field that cannot be read, also one that is nested too deeply, is named in the answer."""
    fields = {"to": "5", "text": "hello"} | {field: value}

    with pytest.raises(ValidationError) as refused:
        NotifyBody.model_validate(fields)

    assert [error["loc"][0] for error in refused.value.errors()] == [field]


def test_null_stands_for_what_is_left_out() -> None:
    """A field that need not be given may be null, as many libraries write it."""
    names = ("silent", "format", "buttons", "attachments", "dry_run", "title", "data", "not_before")

    body = NotifyBody.model_validate({"to": "5", "text": "hello"} | dict.fromkeys(names))

    assert body == NotifyBody(to=["5"], text="hello")


@pytest.mark.parametrize("field", ["to", "unknown"])
def test_null_is_nothing_that_is_required(field: str) -> None:
    """Null neither stands for a required field nor hides one that does not exist."""
    with pytest.raises(ValidationError) as refused:
        NotifyBody.model_validate({"to": "5", "text": "hello", field: None})

    assert [error["loc"][0] for error in refused.value.errors()] == [field]
