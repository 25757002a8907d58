"""Every error the supervisor raises on purpose; an error's docstring is its message."""

from __future__ import annotations

import inspect


class GatewayError(Exception):
    """The gateway could not do what was asked."""

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail
        said = inspect.getdoc(type(self)) or ""
        super().__init__(f"{said} ({detail})" if detail else said)


class NumberUnknown(GatewayError):
    """There is no such number."""


class NumberExists(GatewayError):
    """The number runs already."""


class NumberOfOtherClient(NumberExists):
    """The number belongs to another client: purge it there first."""


class StaleEpoch(GatewayError):
    """Another start of this number's worker has taken over, so nothing was written."""


class WorkerUnavailable(GatewayError):
    """The number's worker is not running."""


class NumberOffline(WorkerUnavailable):
    """The number is not connected to Telegram now."""


class ResolvingDelayed(GatewayError):
    """Telegram can't say now whom a first message is meant for."""

    def __init__(self, reason: str, retry_after: float) -> None:
        self.retry_after = max(1.0, retry_after)
        super().__init__(f"{reason}; try again in {self.retry_after:.0f} s")


class WorkerTimeout(GatewayError):
    """The number's worker did not answer in time."""


class MessageUnknown(GatewayError):
    """The number has no such message."""


class MessageNotDead(GatewayError):
    """Only a dead letter can be sent again."""


class MessageEmpty(GatewayError):
    """There is neither a text nor a file to send."""


class MessageTooLarge(GatewayError):
    """The message is larger than any that Telegram would take."""


class RecipientUnknown(GatewayError):
    """Nobody was found to send this to."""


class LinkInvalid(GatewayError):
    """The gateway has made no such link."""


class LinkExpired(LinkInvalid):
    """The link works no longer."""


class FileGone(GatewayError):
    """The file is not kept any more."""


class StandingBy(GatewayError):
    """Another gateway owns the data, so this one waits for its turn."""


class DatabaseError(GatewayError):
    """The database failed."""


class DatabaseUnavailable(DatabaseError):
    """The database does not answer."""


class DatabaseRefused(DatabaseError):
    """The database does not take what was to be written."""


class DatabaseOwned(DatabaseError):
    """Another gateway, with another DATA_DIR, works on this database: stop it first."""


class DatabaseUrlInvalid(DatabaseError, ValueError):
    """DATABASE_URL must be sqlite+aiosqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."""


class DatabaseTooNew(DatabaseError):
    """The database was written by a newer gateway: install that version again."""


class SecretKeyMalformed(GatewayError, ValueError):
    """SECRET_KEY must be 32 random bytes in URL-safe base64, several separated by commas.

    Make one with: python -c "import os, base64; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"
    """


class SecretKeyWrong(GatewayError):
    """SECRET_KEY is not the key this database was written with: put the old key back, nothing was changed."""


class SealBroken(GatewayError):
    """A stored secret was changed or moved, so it can not be opened."""


class LoginError(GatewayError):
    """The number can not be logged in like this."""


class CodeInvalid(LoginError):
    """The code is wrong: look at it again."""


class CodeExpired(LoginError):
    """The code counts no longer: have a new one sent."""


class PasswordInvalid(LoginError):
    """The password is wrong: try again."""


class WrongAccount(LoginError):
    """The login is that of another Telegram account, so it was ended again."""


class LoginRefused(LoginError):
    """Telegram refuses this login."""


class NotLoggingIn(LoginError):
    """No login waits for this: begin one."""


class LoggedInAlready(LoginError):
    """The number is logged in."""


class NotLoggedIn(LoginError):
    """The number is not logged in."""


class LinkDead(LoginError):
    """The login link works no longer."""


class LoginFlood(LoginError):
    """Telegram wants this phone to wait before the next try."""

    def __init__(self, retry_after: float | None) -> None:
        self.retry_after = retry_after
        super().__init__(f"{retry_after:.0f} s" if retry_after else "hours, maybe a day")


class TelegramUnreachable(GatewayError):
    """Telegram can not be reached."""


class SessionFileError(GatewayError):
    """The session file can not be used."""


class SessionPathForbidden(SessionFileError):
    """The session file must lie inside SESSION_ROOT without links on the way."""


class SessionFileMissing(SessionFileError):
    """There is no session file of this name under SESSION_ROOT."""


class SessionFileBroken(SessionFileError):
    """The file is no Telethon session that is logged in: copy it anew from a program that is closed."""


class SessionInUse(GatewayError):
    """Another number here has this login; used twice at a time Telegram would end it."""


class SessionStringBroken(SessionFileError):
    """The text is no StringSession of Telethon's."""
