"""A number that is online, two contacts who wrote to it, a server with files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.session_worker.conftest import CONTACT, PHONE
from tests.acceptance.session_worker.outbound.mail import Mail
from tests.fakes.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.chats.message_actions import Posted
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.session_worker.number import Number

OTHER = "380671112244"


@pytest.fixture
def taras(telegram: DataCentre) -> Account:
    return telegram.account_of(CONTACT)


@pytest.fixture
def iryna(telegram: DataCentre) -> Account:
    return telegram.add_account(OTHER, "Iryna")


@pytest.fixture
async def files() -> AsyncIterator[FileServer]:
    async with FileServer() as server:
        yield server


@pytest.fixture
async def mail(
    number: Number,
    iryna: Account,
    write: Callable[..., Posted],
    files: FileServer,
    tmp_path: Path,
) -> AsyncIterator[Mail]:
    await number.start()
    write("good morning")
    write("good day", iryna.phone, PHONE)
    await number.until_texts("good morning", "good day")
    mail = Mail(number, tmp_path, files)
    yield mail
    await mail.outbound.close()
