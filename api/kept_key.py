"""Keys that the gateway makes for itself under SANDBOX=1, kept in DATA_DIR."""

from __future__ import annotations

import os
import secrets
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from supervisor.private_folder import make_private_folder

if TYPE_CHECKING:
    from pathlib import Path


def keep_admin_key(data_dir: Path) -> str:
    return _keep(data_dir / "admin_key", secrets.token_urlsafe(32))


def keep_secret_key(data_dir: Path) -> str:
    return _keep(data_dir / "secret_key", urlsafe_b64encode(secrets.token_bytes(32)).decode())


def _keep(path: Path, fresh: str) -> str:
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(fresh)
    try:
        # Linking fails where the key exists, so two gateways that start together agree on one.
        os.link(draft, path)
    except FileExistsError:
        fresh = path.read_text().strip()
    finally:
        draft.unlink()
    return fresh
