"""The gateway as the settings want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.config import Config, TelegramDataCentre
from supervisor.gateway import Gateway
from supervisor.ownership import DataDirLock
from supervisor.private_folder import make_private_folder, warn_if_open
from supervisor.store import Store

if TYPE_CHECKING:
    from api.embedded_sandbox import RunningSandbox
    from api.settings import Settings


def make_gateway(settings: Settings, sandbox: RunningSandbox | None) -> Gateway:
    store = Store(settings.database_url.get_secret_value(), settings.secret_key.get_secret_value())
    return Gateway(store, DataDirLock(settings.data_dir), make_config(settings, sandbox))


def make_config(settings: Settings, sandbox: RunningSandbox | None) -> Config:
    for path, setting in ((settings.data_dir, "DATA_DIR"), (settings.session_root, "SESSION_ROOT")):
        make_private_folder(path)
        warn_if_open(path, setting)
    return Config(
        data_dir=settings.data_dir,
        session_root=settings.session_root,
        api_id=settings.telegram_api_id,
        api_hash=settings.telegram_api_hash.get_secret_value(),
        data_centre=_data_centre(settings, sandbox),
        language=settings.language,
        log_level=settings.log_level,
        log_format=settings.log_format,
        public_url=settings.public_url,
        retention_days=settings.retention_days,
        allow_private_planfix=settings.allow_private_planfix,
        merge_memory=settings.memory_merge == "auto",
    )


def _data_centre(settings: Settings, sandbox: RunningSandbox | None) -> TelegramDataCentre | None:
    if sandbox is not None:
        host, port, key = sandbox.host, sandbox.telegram_port, sandbox.key_file
    elif settings.data_centre is not None and settings.telegram_dc_key is not None:
        (host, port), key = settings.data_centre, settings.telegram_dc_key
    else:
        return None
    return TelegramDataCentre(host, port, key.read_text())
