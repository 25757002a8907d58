"""What the operator of a demo needs to get going, said once on the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.settings import Settings


def announce(settings: Settings, sandbox_url: str) -> None:
    # Not through the log, which would hide the key.
    sys.stdout.write(
        f"\n  Console   {settings.public_url}/console"
        f"\n  API       {settings.public_url}/docs"
        f"\n  Sandbox   {sandbox_url}/"
        f"\n  Admin key {settings.admin_key.get_secret_value()}\n\n"
    )
    sys.stdout.flush()
