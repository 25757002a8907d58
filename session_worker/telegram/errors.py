"""What can go wrong with Telegram, as errors of ours that say what has to happen next."""

from __future__ import annotations

from typing import Any

from telethon import errors as telethon_errors
from telethon.errors.rpcerrorlist import rpc_errors_dict, rpc_errors_re
from telethon.tl.alltlobjects import LAYER as TELETHON_LAYER

from session_worker.protocol.contract import SessionState, Trouble, TroubleCode

LAYER: int = TELETHON_LAYER


class TelegramError(Exception):
    """Telegram did not do what was asked."""


class NeedsLogin(TelegramError):
    """The session is lost: only a new login helps."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.detail or trouble.code)
        self.trouble = trouble


class FloodWait(TelegramError):
    """Telegram wants requests of this kind to wait."""

    def __init__(self, seconds: float | None, code: str) -> None:
        super().__init__(f"{code}: wait {seconds} s")
        self.seconds = seconds
        self.code = code

    def within(self, longest: float) -> float:
        """Return the wait; raise this error if the wait is unknown or longer than that."""
        if self.seconds is None or self.seconds > longest:
            raise self
        return self.seconds


class PeerUnknown(TelegramError):
    """The account has no valid access hash for this peer."""


class Refused(TelegramError):
    """Telegram rejects this request for good, in its own words."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{text} ({code})")
        self.code = code
        self.text = text


class Undecodable(Refused):
    """Telegram answered with an object that our layer does not contain; asking again changes nothing.

    Whatever the request asked for has been done.
    """

    def __init__(self, constructor: int) -> None:
        super().__init__(0, "TYPE_NOT_FOUND")
        self.constructor = constructor

    def __str__(self) -> str:
        return f"constructor {self.constructor:08x} is not in layer {LAYER}"


class PasswordNeeded(TelegramError):
    """The account is protected by a password, which must follow the code."""


class Moved(TelegramError):
    """The account or file is at another data centre."""

    def __init__(self, dc_id: int) -> None:
        super().__init__(f"go on at data centre {dc_id}")
        self.dc_id = dc_id


class TemporarilyFailed(TelegramError):
    """Telegram has an error of its own: the same request may succeed later."""


class Unreachable(TelegramError):
    """There is no working connection to Telegram, so it is unknown whether the request was carried out."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NoAnswer(Unreachable):
    """The connection seems to work, but this request was not answered in time."""


class ProxyFailed(Unreachable):
    """The number's proxy does not lead to Telegram."""

    def __init__(self, code: TroubleCode, detail: str) -> None:
        super().__init__(f"the proxy: {detail}" if detail else "the proxy's address is private")
        self.trouble = Trouble(code=code, detail=detail)


class Deaf(TelegramError):
    """The connection answers, but updates arrive only when they are asked for."""


class LeaseLost(ConnectionError):
    """The process may no longer write for its number."""


# Telegram does not say how long to wait after -429; this pause keeps us from being blocked.
TRANSPORT_FLOOD_PAUSE = 60.0  # seconds

_LOST: tuple[tuple[type[Exception], TroubleCode], ...] = (
    (telethon_errors.AuthKeyDuplicatedError, TroubleCode.DUPLICATED),
    (telethon_errors.AuthKeyNotFound, TroubleCode.KEY_UNKNOWN),
    (telethon_errors.UserDeactivatedBanError, TroubleCode.BANNED),
    (telethon_errors.PhoneNumberBannedError, TroubleCode.BANNED),
    (telethon_errors.UserDeactivatedError, TroubleCode.DEACTIVATED),
    (telethon_errors.UserMigrateError, TroubleCode.REVOKED),
    (telethon_errors.UnauthorizedError, TroubleCode.REVOKED),
)
_PASSING = (
    telethon_errors.ServerError,
    telethon_errors.TimedOutError,
    telethon_errors.RpcCallFailError,
    telethon_errors.RpcMcgetFailError,
    telethon_errors.InterdcCallErrorError,
    telethon_errors.InterdcCallRichErrorError,
)
_LINE = (
    OSError,
    EOFError,
    telethon_errors.InvalidBufferError,
    telethon_errors.InvalidChecksumError,
    telethon_errors.SecurityError,
)
_MOVED = (
    telethon_errors.PhoneMigrateError,
    telethon_errors.NetworkMigrateError,
    telethon_errors.FileMigrateError,
)
_PEERLESS = (
    telethon_errors.PeerIdInvalidError,
    telethon_errors.UserIdInvalidError,
)
_NO_KEY = "no key was agreed on with the data centre"
_NAMES: dict[type[Exception], str] = {
    **{cls: pattern.replace("_(\\d+)", "") for pattern, cls in rpc_errors_re},
    **{cls: name for name, cls in rpc_errors_dict.items()},
}


def translate(error: BaseException) -> TelegramError:
    """Return the error of ours that a foreign error means."""
    if isinstance(error, TelegramError):
        return error
    if isinstance(error, telethon_errors.SessionPasswordNeededError):
        return PasswordNeeded(str(error))
    if isinstance(error, _MOVED):
        return Moved(error.new_dc)
    if isinstance(error, telethon_errors.TypeNotFoundError):
        return Undecodable(error.invalid_constructor_id)
    # A frozen account has the code of a flood, but no pause ends it.
    is_frozen = isinstance(error, telethon_errors.FrozenMethodInvalidError)
    if isinstance(error, telethon_errors.FloodError) and not is_frozen:
        return FloodWait(getattr(error, "seconds", None), _name(error))
    return _lost(error) or _passing(error) or _final(error)


def _lost(error: BaseException) -> TelegramError | None:
    if _transport_code(error) == 404:
        error = telethon_errors.AuthKeyNotFound()
    for kind, code in _LOST:
        if isinstance(error, kind):
            return NeedsLogin(Trouble(code=code, detail=_name(error)))
    return None


def _passing(error: BaseException) -> TelegramError | None:
    if isinstance(error, _PASSING):
        return TemporarilyFailed(_name(error))
    if _transport_code(error) == 429:
        return Unreachable("TRANSPORT_FLOOD", TRANSPORT_FLOOD_PAUSE)
    if isinstance(error, _LINE):
        return Unreachable(_NO_KEY if _is_about_key(error) else f"{type(error).__name__}: {error}")
    return None


def _is_about_key(error: BaseException) -> bool:
    """Whether the library says how often it failed to agree on a key, a number that means nothing."""
    return isinstance(error, ConnectionError) and "auth_key generation" in str(error)


def _transport_code(error: BaseException) -> int | None:
    """Return the number that Telegram sends instead of a message, if it did."""
    if not isinstance(error, telethon_errors.InvalidBufferError):
        return None
    code: int | None = error.code
    return code


def is_known(error: BaseException) -> bool:
    """Whether an error comes from Telegram or the connection; any other error is a bug."""
    theirs = (telethon_errors.AuthKeyNotFound, telethon_errors.TypeNotFoundError)
    return isinstance(error, (telethon_errors.RPCError, *theirs, *_LINE))


def _final(error: BaseException) -> TelegramError:
    if isinstance(error, _PEERLESS):
        return PeerUnknown(_name(error))
    if isinstance(error, telethon_errors.RPCError):
        return Refused(error.code or 0, _name(error))
    if isinstance(error, ValueError) and "input entity" in str(error):
        return PeerUnknown(str(error))
    return Refused(0, f"{type(error).__name__}: {error}")


def _name(error: Any) -> str:
    """Return Telegram's own name for an error, if it is one of Telegram's."""
    if isinstance(error, telethon_errors.AuthKeyNotFound):
        return "AUTH_KEY_NOT_FOUND"
    return _NAMES.get(type(error)) or str(getattr(error, "message", "") or type(error).__name__)


def state_without_session(trouble: Trouble) -> SessionState:
    """Return the state of a number whose session is lost for this reason."""
    if trouble.code in {TroubleCode.BANNED, TroubleCode.DEACTIVATED}:
        return SessionState.BANNED
    return SessionState.NEEDS_LOGIN


_TROUBLES: tuple[tuple[type[TelegramError], TroubleCode], ...] = (
    (Deaf, TroubleCode.DEAF),
    (Unreachable, TroubleCode.UNREACHABLE),
    (TemporarilyFailed, TroubleCode.FAILING),
    (Undecodable, TroubleCode.LAYER),
)


def trouble_of(error: TelegramError) -> Trouble:
    """Return the trouble to report for a connection that failed for this reason."""
    match error:
        case NeedsLogin(trouble=trouble) | ProxyFailed(trouble=trouble):
            return trouble
        case FloodWait(seconds=pause) | Unreachable(retry_after=float() as pause):
            return Trouble(code=TroubleCode.REJECTED, detail=str(error), retry_after=pause)
        case _:
            codes = (code for kind, code in _TROUBLES if isinstance(error, kind))
            return Trouble(code=next(codes, TroubleCode.REJECTED), detail=str(error))
