"""Logins in memory: any number, one good code, one good password."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from supervisor.errors import CodeInvalid, LinkDead, NotLoggingIn, PasswordInvalid
from supervisor.login.login_service import (
    LoginLinks,
    LoginMethod,
    LoginService,
    MadeLink,
    Progress,
    Qr,
)
from supervisor.numbers.state import State
from supervisor.store.values import LoginLink

CODE = "24680"
PASSWORD = "correct horse"
QR_URL = "tg://login?token=AQIDBA"
EXPIRES = datetime(2100, 1, 1, tzinfo=UTC)
STEPS = {
    LoginMethod.CODE: Progress(State.NEEDS_CODE, is_open=True),
    LoginMethod.QR: Progress(State.NEEDS_LOGIN, Qr(QR_URL, EXPIRES), is_open=True),
}
WANTS_PASSWORD = Progress(State.NEEDS_PASSWORD, hint="<b>my</b> dog", is_open=True)


class FakeLogins(LoginService):
    """Goes through the steps of a login; raises what it is told to."""

    def __init__(self) -> None:
        self.open: dict[str, Progress] = {}
        self.broken: Exception | None = None
        self.begun_by: list[str] = []
        self.closed = Progress(State.NEEDS_LOGIN)

    async def begin(self, number: str, method: LoginMethod, who: str) -> Progress:
        self._fail_if_broken()
        self.begun_by.append(who)
        self.open[number] = STEPS[method]
        return self.open[number]

    async def enter_code(self, number: str, code: str) -> Progress:
        self._require(number, State.NEEDS_CODE)
        if code != CODE:
            raise CodeInvalid
        self.open[number] = WANTS_PASSWORD
        return WANTS_PASSWORD

    async def enter_password(self, number: str, password: str) -> Progress:
        self._require(number, State.NEEDS_PASSWORD)
        if password != PASSWORD:
            raise PasswordInvalid
        del self.open[number]
        return Progress(State.ONLINE)

    async def watch(self, number: str) -> Progress:
        return self.open.get(number, self.closed)

    def _require(self, number: str, state: State) -> None:
        self._fail_if_broken()
        if self.open.get(number, self.closed).state is not state:
            raise NotLoggingIn

    def _fail_if_broken(self) -> None:
        if self.broken:
            raise self.broken


class FakeLinks(LoginLinks):
    """Links that never expire by themselves."""

    def __init__(self) -> None:
        self.given: dict[str, LoginLink] = {}

    async def make(self, number: str) -> MadeLink:
        self.given = {s: link for s, link in self.given.items() if link.number != number}
        secret = f"secret-of-{number}-{len(self.given)}"
        expires = datetime.now(UTC) + timedelta(hours=1)
        self.given[secret] = LoginLink(number, expires, is_used=False)
        return MadeLink(secret, expires)

    async def open(self, secret: str) -> LoginLink:
        if secret not in self.given:
            raise LinkDead
        return self.given[secret]
