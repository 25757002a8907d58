"""Who looks at others: an account under one of its logins."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account


@dataclass(frozen=True, slots=True)
class Viewer:
    """An account with the ordinal of the login under which it sees others and may address them."""

    account: Account
    login: int

    @property
    def id(self) -> int:
        return self.account.id

    def access_hash(self, subject_id: int) -> int:
        """Make the hash by which this login may address somebody; each login has its own."""
        seed = b"%d:%d:%d" % (self.account.id, self.login, subject_id)
        digest = sha1(seed, usedforsecurity=False).digest()
        return int(struct.unpack("<q", digest[:8])[0])
