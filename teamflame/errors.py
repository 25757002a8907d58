"""Every error that TeamFlame's part raises on purpose; the type decides what happens next."""

from __future__ import annotations

import inspect


class TeamFlameError(Exception):
    """TeamFlame could not do what was asked."""

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail
        super().__init__(detail or inspect.getdoc(type(self)) or "")


class Unavailable(TeamFlameError):
    """TeamFlame does not answer now."""


class AnswerLost(Unavailable):
    """TeamFlame may have carried out the call, but its answer was lost."""


class Limited(TeamFlameError):
    """TeamFlame limits calls; try again later."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"TeamFlame limits calls; try again in {seconds:.0f} s")


class Rejected(TeamFlameError):
    """TeamFlame refused the call as invalid."""


class Forbidden(TeamFlameError):
    """TeamFlame does not allow this to the account."""


class NotFound(TeamFlameError):
    """TeamFlame does not have this."""


class AccessExpired(TeamFlameError):
    """TeamFlame no longer accepts this access token."""


class CredentialsInvalid(TeamFlameError):
    """The e-mail address or the password is wrong."""


class SignInNeeded(TeamFlameError):
    """Sign in to TeamFlame first."""


class ChangedMeanwhile(TeamFlameError):
    """Somebody changed the task meanwhile."""


class ProofInvalid(TeamFlameError):
    """The proof of who is calling is missing, forged or too old."""
