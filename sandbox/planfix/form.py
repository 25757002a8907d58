"""The form-encoded body of a chat API call, with repeated keys in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 2000


@dataclass(frozen=True, slots=True)
class Form:
    """The values of each field, in the order in which they were sent."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def all(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())

    def last(self, name: str) -> str:
        """Return the last value of a field, which counts where only one is expected."""
        return self.values.get(name, ("",))[-1]

    def single(self) -> dict[str, str]:
        return {name: values[-1] for name, values in self.values.items()}


def parse_form(content_type: str, body: bytes) -> Form:
    """Parse a body; one that is not form-encoded UTF-8 has no fields, which Planfix refuses later."""
    if content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        return Form()
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        return Form()
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), value)
    return Form(fields)
