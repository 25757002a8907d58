"""The tables of `models` in the form that SQL expressions take."""

from __future__ import annotations

from typing import Final

from supervisor import models

_tables = models.Number.metadata.tables

gateway: Final = _tables["gateway"]
client: Final = _tables["client"]
number: Final = _tables["number"]
session: Final = _tables["session"]
entity: Final = _tables["entity"]
login_link: Final = _tables["login_link"]
audit: Final = _tables["audit"]
journal: Final = _tables["journal"]
telegram_message: Final = _tables["telegram_message"]
sent_part: Final = _tables["sent_part"]
chat: Final = _tables["chat"]
gap_receipt: Final = _tables["gap_receipt"]
