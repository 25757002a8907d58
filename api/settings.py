"""Reads and checks the environment, and makes the keys of the demo."""

from __future__ import annotations

import os
import re
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.settings_fields import (
    AdminKey,
    AlertAddress,
    ApiId,
    BotToken,
    ClusterKey,
    DatabaseAddress,
    Days,
    FilesFolder,
    HostAndPort,
    Language,
    LogLevel,
    OwnAddress,
    PublicKeyFile,
    SecretKeys,
    TrustedProxies,
)
from supervisor.database.engines import database_url
from supervisor.encryption.vault import cluster_keys
from supervisor.file_access import make_private_folder

HINTS = {
    "admin_key": "choose a long random text; it is the operator's key",
    "secret_key": (
        "32 random bytes in URL-safe base64; make them with: "
        'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
    ),
    "telegram_api_id": "get it for your application at my.telegram.org, or set SANDBOX=1",
    "telegram_api_hash": "get it for your application at my.telegram.org, or set SANDBOX=1",
}
_WORDS = {"bool_parsing": "must be 1 or 0"}  # in place of the library's
LONGER = 1.2  # times NODE_TTL, after which the workers of a node that cannot beat are gone
_CHAT_ID = re.compile(r"-?[1-9][0-9]{0,18}")
_WHERE = "Set it in the environment or in .env."


def explain_errors(exc: ValidationError) -> str:
    lines = ["The gateway cannot start:"]
    for error in exc.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in error["loc"]).upper()
        reason = _WORDS.get(error["type"]) or error["msg"].removeprefix("Value error, ")
        lines.append(f"  {name}: {reason}" if name else "  " + reason.replace("\n", "\n  "))
    return "\n".join([*lines, _WHERE])


class SettingsInvalid(Exception):
    """The gateway cannot start with these settings."""


class Settings(BaseSettings):
    """The settings of the operator, checked."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    sandbox: bool = False
    port: int = Field(8080, ge=1, le=65534)
    sandbox_port: int | None = Field(None, ge=0, le=65535)
    data_dir: Path = Path("data")
    admin_key: AdminKey = SecretStr("")
    secret_key: SecretKeys = SecretStr("")
    database_url: DatabaseAddress = SecretStr("")
    session_root: Path = Path()
    public_url: OwnAddress = ""
    trusted_proxies: TrustedProxies = ""
    telegram_api_id: ApiId = 0
    telegram_api_hash: SecretStr = SecretStr("")
    telegram_dc: HostAndPort = None
    telegram_dc_key: PublicKeyFile = None
    telegram_bot_token: BotToken = SecretStr("")
    telegram_chat_id: str = ""
    allow_private_planfix: bool = False
    language: Language = "ru"
    log_level: Annotated[LogLevel, BeforeValidator(str.upper)] = "INFO"
    log_format: Literal["text", "json"] = "text"
    retention_days: Days = 30
    alert_url: AlertAddress = ""
    node_url: OwnAddress = ""
    cluster_key: ClusterKey = SecretStr("")
    files_url: FilesFolder = None
    node_ttl: float = Field(12.0, ge=1.0, le=600.0)
    node_takeover: float = Field(15.0, le=3600.0)
    memory_merge: Annotated[Literal["auto", "off"], BeforeValidator(str.lower)] = "auto"

    teamflame_bot_token: SecretStr = SecretStr("")
    teamflame_auth_url: OwnAddress = "https://auth-api.teamflame.ru"
    teamflame_api_url: OwnAddress = "https://api.teamflame.ru"
    teamflame_profile: Literal["v2023", "v2024"] = "v2023"

    @model_validator(mode="before")
    @classmethod
    def _fill_in_defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
        data_dir = Path(values.get("data_dir") or "data").absolute()
        derived: dict[str, Any] = {
            "data_dir": data_dir,
            "session_root": data_dir / "sessions",
            "database_url": f"sqlite+aiosqlite:///{data_dir / 'telefix.db'}",
            "public_url": f"http://127.0.0.1:{_port_in(values)}",
        }
        if str(values.get("sandbox", "")).strip().lower() in {"1", "true", "yes", "on"}:
            derived |= {
                "allow_private_planfix": True,
                "telegram_api_id": 1,
                "telegram_api_hash": "any-hash-will-do",
            }
            derived |= {} if values.get("admin_key") else {"admin_key": keep_admin_key(data_dir)}
            derived |= {} if values.get("secret_key") else {"secret_key": keep_secret_key(data_dir)}
        return {**derived, **values, "data_dir": data_dir}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in HINTS if not _plain(getattr(self, name))]
        if missing:
            raise ValueError(
                "\n".join(f"{name.upper()} is missing: {HINTS[name]}" for name in missing)
            )
        if (self.telegram_dc is None) != (self.telegram_dc_key is None):
            raise ValueError("TELEGRAM_DC and TELEGRAM_DC_KEY belong together: set both or neither")
        if self.sandbox and self.telegram_dc:
            raise ValueError("SANDBOX=1 uses its own data centre: remove TELEGRAM_DC")
        return self

    @model_validator(mode="after")
    def _fit_for_a_node(self) -> Self:
        if not self.node_url:
            return self
        if database_url(self.database_url.get_secret_value()).get_backend_name() == "sqlite":
            raise ValueError("NODE_URL needs a DATABASE_URL of PostgreSQL, which all nodes share")
        if self.sandbox:
            raise ValueError("SANDBOX=1 runs a data centre for one gateway: remove NODE_URL")
        if self.node_takeover < LONGER * self.node_ttl:
            raise ValueError(f"NODE_TAKEOVER must be at least {LONGER:g} times NODE_TTL")
        return self

    @property
    def alert_chat(self) -> int:
        """The chat to which the gateway's own bot sends alarms; 0 if there is no chat, or no bot."""
        is_id = _CHAT_ID.fullmatch(self.telegram_chat_id)
        return int(self.telegram_chat_id) if is_id and self.telegram_bot_token else 0

    @property
    def cluster_keys(self) -> tuple[str, ...]:
        """What nodes show each other: the first is shown, all are accepted."""
        if self.cluster_key.get_secret_value():
            return (self.cluster_key.get_secret_value(),)
        return tuple(cluster_keys(self.secret_key.get_secret_value()))

    @property
    def sandbox_page_port(self) -> int:
        return self.port + 1 if self.sandbox_port is None else self.sandbox_port

    def login_url(self, secret: str) -> str:
        return f"{self.public_url}/login/{secret}/"

    @property
    def data_centre(self) -> tuple[str, int] | None:
        if self.telegram_dc is None:
            return None
        host, _, port = self.telegram_dc.rpartition(":")
        return host.strip("[]"), int(port)


def read_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as exc:
        raise SettingsInvalid(explain_errors(exc)) from exc
    except UnicodeDecodeError as exc:
        raise SettingsInvalid(
            "The gateway cannot start: .env is not UTF-8; save it as such."
        ) from exc
    except OSError as exc:
        raise SettingsInvalid(f"the gateway cannot write to DATA_DIR: {exc}") from exc


def _port_in(values: dict[str, Any]) -> str:
    """Return the port as it was given; the check of PORT itself refuses what is none."""
    port = str(values.get("port") or "")
    return port if port.isdecimal() and 0 < int(port) < 65536 else "8080"


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


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
        # Linking fails if the key exists, so two gateways that start together use the same one.
        os.link(draft, path)
    except FileExistsError:
        fresh = path.read_text().strip()
    finally:
        draft.unlink()
    return fresh
