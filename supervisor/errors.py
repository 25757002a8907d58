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
    """The number is running already; stop it with DELETE first."""


class NumberOfOtherClient(NumberExists):
    """The number belongs to another client; purge it there first."""


class StaleEpoch(GatewayError):
    """A newer start of this number's worker has taken over, so nothing was written."""


class WorkerUnavailable(GatewayError):
    """The number's worker is not running; try again in a moment."""


class NumberOffline(WorkerUnavailable):
    """The number is not connected to Telegram now."""


class NumberElsewhere(GatewayError):
    """Another node runs this number."""

    def __init__(self, number: str, url: str, epoch: int) -> None:
        """With epoch 0 nobody owns the number yet, and the node at this address should start it."""
        self.number = number
        self.url = url
        self.epoch = epoch
        super().__init__(url)


class NumberWithoutOwner(WorkerUnavailable):
    """The number is moving from one node to another; try again in a moment."""


class ResolvingDelayed(GatewayError):
    """Telegram cannot find the recipient of a first message now."""

    def __init__(self, reason: str, retry_after: float) -> None:
        self.retry_after = max(1.0, retry_after)
        super().__init__(f"{reason}; try again in {self.retry_after:.0f} s")


class WorkerTimeout(GatewayError):
    """The number's worker did not answer in time; try again in a moment."""


class MessageUnknown(GatewayError):
    """The number has no such message."""


class MessageNotDead(GatewayError):
    """Only a dead letter can be sent again."""


class MessageNotDismissable(MessageNotDead):
    """DELETE dismisses a dead letter; a message in another state stays as it is."""


class MessageEmpty(GatewayError):
    """There is neither a text nor a file to send."""


class MessageTooLarge(GatewayError):
    """The message is larger than Telegram allows."""


class RecipientUnknown(GatewayError):
    """The recipient was not found."""


class NotificationUnknown(GatewayError):
    """There is no such notification."""


class TemplateUnknown(GatewayError):
    """There is no such template."""


class AddressMalformed(GatewayError):
    """The address of a recipient has none of the known forms."""


class MarkupInvalid(GatewayError):
    """The formatting of the text is not valid."""


class TemplateInvalid(GatewayError):
    """The template is not valid Liquid."""


class TemplateTooCostly(GatewayError):
    """The template or its data is too large, or it loops too often."""


class FieldMissing(GatewayError):
    """The template needs a field that the data does not have."""


class LinkInvalid(GatewayError):
    """The link was not made by this gateway."""


class LinkExpired(LinkInvalid):
    """The link has expired."""


class FileGone(GatewayError):
    """The file has been erased."""


class StorageFull(GatewayError):
    """There is no room for more files until those that wait are sent or too old."""


class StandingBy(GatewayError):
    """Another gateway owns the data, so this one is on standby."""


class DatabaseError(GatewayError):
    """The database failed."""


class DatabaseUnavailable(DatabaseError):
    """The database does not answer."""


class FilesUnavailable(DatabaseUnavailable):
    """The folder in which nodes store files for each other cannot be written."""


class DatabaseRefused(DatabaseError):
    """The database refused the data."""


class DatabaseOwned(DatabaseError):
    """Another gateway with another DATA_DIR uses this database; stop it first, or set NODE_URL on all."""


class DatabaseNotShared(DatabaseError):
    """A gateway without NODE_URL uses this database alone; stop it, or set NODE_URL there too."""


class DatabaseUrlInvalid(DatabaseError, ValueError):
    """DATABASE_URL must be sqlite+aiosqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."""


class DatabaseTooNew(DatabaseError):
    """The database was written by a newer version of the gateway; install that version again."""


class SecretKeyMalformed(GatewayError, ValueError):
    """SECRET_KEY must be 32 random bytes in URL-safe base64, or several such keys separated by commas.

    Make one with: python -c "import os, base64; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"
    """


class SecretKeyWrong(GatewayError):
    """SECRET_KEY is not the key that this database was written with; put the old key back. Nothing was changed."""


class SealBroken(GatewayError):
    """A stored secret was changed or moved, so it cannot be opened."""


class LoginError(GatewayError):
    """The number cannot be logged in like this."""


class CodeInvalid(LoginError):
    """The code is wrong; check it and try again."""


class CodeExpired(LoginError):
    """The code has expired; request a new one."""


class PasswordInvalid(LoginError):
    """The password is wrong; try again."""


class WrongAccount(LoginError):
    """The login belongs to another Telegram account, so it was ended again."""


class LoginRefused(LoginError):
    """Telegram refuses this login."""


class NotLoggingIn(LoginError):
    """No login is waiting for this; begin one."""


class LoggedInAlready(LoginError):
    """The number is logged in already."""


class NotLoggedIn(LoginError):
    """The number is not logged in."""


class LinkDead(LoginError):
    """The login link has expired or was used."""


class LoginFlood(LoginError):
    """Telegram requires a pause before the next attempt for this phone."""

    def __init__(self, retry_after: float | None) -> None:
        self.retry_after = retry_after
        super().__init__(f"{retry_after:.0f} s" if retry_after else "hours, maybe a day")


class TokenMalformed(LoginError):
    """The token is not the token of a bot; BotFather gives them, such as 123456:ABC…."""


class TelegramRefused(GatewayError):
    """Telegram refuses what was asked of it."""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class TelegramUnreachable(GatewayError):
    """Telegram cannot be reached."""


class SessionFileError(GatewayError):
    """The session file cannot be used."""


class SessionPathForbidden(SessionFileError):
    """The session file must be inside SESSION_ROOT, with no links in its path."""


class SessionFileMissing(SessionFileError):
    """There is no session file with this name under SESSION_ROOT."""


class SessionFileBroken(SessionFileError):
    """The file is not a logged-in Telethon session; copy it again after closing the program that uses it."""


class SessionInUse(GatewayError):
    """Another number uses this login; if both used it, Telegram would end it."""


class SessionStringBroken(SessionFileError):
    """The text is not a StringSession of Telethon."""
