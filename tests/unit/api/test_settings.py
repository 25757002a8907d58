"""Settings are checked before anything starts."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.lifecycle.lifespan import make_config
from api.lifecycle.server_process import START_REFUSED, StartRefused
from api.settings import SettingsInvalid, read_settings
from supervisor import file_access
from tests.unit.api.calls import SECRET_KEY

ROOT = str(Path(__file__).parents[3])
COMPLETE = {
    "ADMIN_KEY": "operators-key",
    "SECRET_KEY": SECRET_KEY,
    "TELEGRAM_API_ID": "12345",
    "TELEGRAM_API_HASH": "0123456789abcdef",
}


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_defaults_are_those_of_the_contract(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is not set has the value that the contract names."""
    settings = read_settings()

    assert settings.data_dir == tmp_path / "data"
    assert settings.session_root == tmp_path / "data" / "sessions"
    assert settings.database_url.get_secret_value().startswith(f"sqlite+aiosqlite:///{tmp_path}")
    assert settings.public_url == "http://127.0.0.1:8080"
    assert (settings.language, settings.log_level, settings.log_format) == ("ru", "INFO", "text")
    assert (settings.retention_days, settings.sandbox) == (30, False)
    assert (settings.allow_private_planfix, settings.memory_merge) == (False, "auto")
    assert (settings.data_centre, settings.trusted_proxies) == (None, "")


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("state", ["unset", "empty"])
def test_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str, state: str) -> None:
    """Without a needed setting the start is refused with a sentence that says what to do."""
    environment.setenv(name, "") if state == "empty" else environment.delenv(name)

    with pytest.raises(SettingsInvalid, match=f"{name} is missing: .+"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_KEY", "two words"),
        ("ADMIN_KEY", "7-chars"),
        ("ADMIN_KEY", "ключ"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", f"{SECRET_KEY},"),
        ("SECRET_KEY", f"{SECRET_KEY},{SECRET_KEY[:-2]}"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgresql://telefix@db:port/telefix"),
        ("PUBLIC_URL", "gateway.example.com"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://example.com/?a=b"),
        ("PUBLIC_URL", "https://example.com:99999"),
        ("NODE_URL", "http://[::1"),
        ("ALERT_URL", "http://[::1"),
        ("ALERT_URL", "https://alarms.example.com/two words"),
        ("CLUSTER_KEY", "7-chars"),
        ("TRUSTED_PROXIES", "nginx"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TELEGRAM_API_ID", "abc"),
        ("TELEGRAM_API_ID", "-1"),
        ("TELEGRAM_API_ID", "2147483648"),
        ("TELEGRAM_DC", "127.0.0.1"),
        ("TELEGRAM_DC", "127.0.0.1:0"),
        ("TELEGRAM_DC", "127.0.0.1:65536"),
        ("TELEGRAM_DC", "127.0.0.1:443"),
        ("TELEGRAM_DC_KEY", "no-such-file.pem"),
        ("ALLOW_PRIVATE_PLANFIX", "perhaps"),
        ("SANDBOX", "perhaps"),
        ("LANGUAGE", "de"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("MEMORY_MERGE", "on"),
        ("FILES_URL", "/srv/telefix-files"),
        ("FILES_URL", "file:///no-such-folder"),
        ("FILES_URL", "s3://bucket/files"),
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAYS", "soon"),
        ("RETENTION_DAYS", "36501"),
    ],
)
def test_malformed_setting_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A setting that cannot be is refused by its name, without telling its value."""
    environment.setenv(name, value)

    with pytest.raises(SettingsInvalid, match=name) as refusal:
        read_settings()

    assert "cannot start" in str(refusal.value)
    if name in COMPLETE and not name.endswith("ID"):
        assert value not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SANDBOX", "perhaps", "SANDBOX: must be 1 or 0"),
        ("PORT", "99999", "PORT: Input should be less than or equal to 65534"),
        ("DATABASE_URL", "postgresql://db:port/x", "DATABASE_URL must be sqlite"),
    ],
)
def test_reason_is_one_that_people_understand(
    environment: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    """Each malformed setting gets one line, in words about settings and not about programs."""
    environment.setenv(name, value)

    with pytest.raises(SettingsInvalid, match=reason) as refusal:
        read_settings()

    assert len(str(refusal.value).splitlines()) == 3


def write_key(path: Path, form: PublicFormat = PublicFormat.PKCS1) -> RSAPublicKey:
    key = generate_private_key(65537, 2048).public_key()
    path.write_bytes(key.public_bytes(Encoding.PEM, form))
    return key


@pytest.mark.parametrize("form", [PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo])
def test_key_of_a_data_centre_is_read_in_both_forms(
    environment: pytest.MonkeyPatch, tmp_path: Path, form: PublicFormat
) -> None:
    """An RSA public key as PEM is usable, whether Telegram's or OpenSSL's default form is in the file."""
    key = write_key(tmp_path / "key.pem", form)
    environment.setenv("TELEGRAM_DC", "127.0.0.1:443")
    environment.setenv("TELEGRAM_DC_KEY", "key.pem")

    config = make_config(read_settings(), None)

    assert config.data_centre is not None
    expected = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert config.data_centre.public_key == expected


@pytest.mark.parametrize("content", [b"hello", b"\xff\xfe", b"-----BEGIN RSA PUBLIC KEY-----"])
def test_file_without_a_public_key_is_refused(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    """A TELEGRAM_DC_KEY with which no number could log in is refused at the start, by its name."""
    (tmp_path / "key.pem").write_bytes(content)
    environment.setenv("TELEGRAM_DC", "127.0.0.1:443")
    environment.setenv("TELEGRAM_DC_KEY", "key.pem")

    with pytest.raises(SettingsInvalid, match="TELEGRAM_DC_KEY: the file must hold an RSA public"):
        read_settings()


def test_file_of_settings_in_another_encoding_is_told(tmp_path: Path) -> None:
    """A `.env` that is not UTF-8 is told in words."""
    (tmp_path / ".env").write_bytes("# ключ\n".encode("cp1251"))

    with pytest.raises(SettingsInvalid, match=r"\.env is not UTF-8"):
        read_settings()


@pytest.mark.parametrize("name", ["DATA_DIR", "SESSION_ROOT"])
def test_folder_that_cannot_be_made_is_named(
    environment: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """If a folder cannot be made, the sentence names its setting and the reason."""
    (tmp_path / "file").touch()
    environment.setenv(name, str(tmp_path / "file"))

    with pytest.raises(StartRefused, match=f"{name}: the folder .*file .*File exists"):
        make_config(read_settings(), None)


def test_start_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """The program ends with the sentence, not with a traceback."""
    start = [sys.executable, "-c", "import api; api.create_app()"]
    ended = subprocess.run(
        start, env={"PYTHONPATH": ROOT}, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ended.returncode == START_REFUSED
    assert "ADMIN_KEY is missing" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_settings_come_from_a_file_too(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """`.env` fills in what the environment leaves open."""
    environment.delenv("ADMIN_KEY")
    (tmp_path / ".env").write_text("ADMIN_KEY=from-file\nTELEGRAM_API_ID=1\nUNKNOWN=x\n")

    settings = read_settings()

    assert settings.admin_key.get_secret_value() == "from-file"
    assert settings.telegram_api_id == 12345


def test_sandbox_makes_its_own_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SANDBOX=1 needs no other setting: keys are made once, then kept where only we can read."""
    monkeypatch.setenv("SANDBOX", "1")

    first, second = read_settings(), read_settings()

    assert first == second
    assert len(first.admin_key.get_secret_value()) >= 32
    assert first.allow_private_planfix
    for name in ("admin_key", "secret_key"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == file_access.MODE


def test_sandbox_leaves_set_keys_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key that is set is used, none is made beside it."""
    monkeypatch.setenv("SANDBOX", "1")
    monkeypatch.setenv("ADMIN_KEY", "my-own-key")
    monkeypatch.setenv("ALLOW_PRIVATE_PLANFIX", "0")

    settings = read_settings()

    assert settings.admin_key.get_secret_value() == "my-own-key"
    assert not (tmp_path / "data" / "admin_key").exists()
    assert not settings.allow_private_planfix


def test_sandbox_does_not_meet_another_data_centre(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SANDBOX=1 together with TELEGRAM_DC contradict each other."""
    write_key(tmp_path / "key.pem")
    environment.setenv("SANDBOX", "1")
    environment.setenv("TELEGRAM_DC", "127.0.0.1:443")
    environment.setenv("TELEGRAM_DC_KEY", "key.pem")

    with pytest.raises(SettingsInvalid, match="remove TELEGRAM_DC"):
        read_settings()


@pytest.mark.parametrize(
    ("locale", "language"), [("uk", "uk"), ("uk_UA:en", "uk"), ("de_DE:en_US", "en"), ("C", "ru")]
)
def test_language_of_the_desktop_is_understood(
    environment: pytest.MonkeyPatch, locale: str, language: str
) -> None:
    """Desktops set LANGUAGE to a list of locales; the first one we have counts."""
    environment.setenv("LANGUAGE", locale)

    assert read_settings().language == language


def test_unwritable_folder_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A DATA_DIR that cannot be made is told in words."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("SANDBOX", "1")
    monkeypatch.setenv("DATA_DIR", "file/data")

    with pytest.raises(SettingsInvalid, match="DATA_DIR"):
        read_settings()


def test_secrets_stay_out_of_sight(environment: pytest.MonkeyPatch) -> None:
    """Settings that are printed show no secret."""
    environment.setenv("DATABASE_URL", "postgresql://telefix:pass-word@db/telefix")

    shown = repr(read_settings())

    for secret in ("operators-key", SECRET_KEY, "0123456789abcdef", "pass-word"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("given", "page", "url"),
    [
        ({}, 8081, "http://127.0.0.1:8080"),
        ({"PORT": "9000"}, 9001, "http://127.0.0.1:9000"),
        ({"PORT": "9000", "SANDBOX_PORT": "0"}, 0, "http://127.0.0.1:9000"),
        ({"PORT": "9000", "PUBLIC_URL": "https://a.example"}, 9001, "https://a.example"),
    ],
)
def test_addresses_follow_the_port(
    environment: pytest.MonkeyPatch, given: dict[str, str], page: int, url: str
) -> None:
    """One port is all that has to be chosen: the sandbox page and our own address follow it."""
    for name, value in given.items():
        environment.setenv(name, value)

    settings = read_settings()

    assert (settings.sandbox_page_port, settings.public_url) == (page, url)


@pytest.mark.parametrize(
    ("given", "chat"), [("-1001234567890", -1001234567890), ("@somebody", 0), ("0", 0), ("", 0)]
)
def test_chat_of_alarms_never_keeps_the_gateway_from_starting(
    environment: pytest.MonkeyPatch, given: str, chat: int
) -> None:
    """A chat that no alarm can reach is left out: the numbers run all the same."""
    environment.setenv("TELEGRAM_BOT_TOKEN", "7000000001:AAE-a-bot-token-of-the-tests-is-long")
    environment.setenv("TELEGRAM_CHAT_ID", given)

    assert read_settings().alert_chat == chat
