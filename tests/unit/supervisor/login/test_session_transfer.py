"""Telethon's StringSession, read as well as written."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

from supervisor.errors import NotLoggedIn, SessionStringBroken
from supervisor.login.session_transfer import read_string_session, write_string_session
from supervisor.store.values import Session

SESSIONS = st.builds(
    Session,
    st.integers(1, 255),
    st.ip_addresses().map(str),
    st.integers(1, 65_535),
    # Telethon keeps a key as a number, so one that starts with zeros gets shorter.
    st.binary(min_size=256, max_size=256).filter(lambda key: key[0] != 0),
)


@given(SESSIONS)
def test_text_comes_back_whole(session: Session) -> None:
    """What we write we read."""
    assert read_string_session(write_string_session(session)) == session


@given(SESSIONS)
def test_telethon_understands(session: Session) -> None:
    """What we write Telethon reads, what Telethon writes we read."""
    telethon = StringSession(write_string_session(session))

    assert telethon.dc_id == session.dc_id
    assert telethon.server_address == session.server_address
    assert telethon.port == session.port
    assert telethon.auth_key == AuthKey(session.auth_key)
    assert read_string_session(f" {telethon.save()}\n") == session


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "2" + "A" * 352,
        "1" + "A" * 351,
        "1" + "A" * 352,
        "1" + "ю" * 352,
        "1" + "!" * 352,
        "1" + urlsafe_b64encode(bytes(263)).decode(),
        "1" + urlsafe_b64encode(b"\2\1\1\1\1\0\0" + b"k" * 256).decode(),
        "1" + urlsafe_b64encode(b"\2\1\1\1\1\1\1" + b"k" * 255).decode(),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """A text that is no login is told from one, without being quoted."""
    with pytest.raises(SessionStringBroken) as refused:
        read_string_session(text)

    assert len(text) < 3 or text not in str(refused.value)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    """Whatever comes, the answer is a refusal."""
    with pytest.raises(SessionStringBroken):
        read_string_session(text)


@pytest.mark.parametrize(
    ("dc_id", "address", "port"),
    [(1, "localhost", 443), (1, "", 443), (256, "::1", 1), (1, "::1", -1)],
)
def test_what_does_not_fit_is_told(dc_id: int, address: str, port: int) -> None:
    """A login at an address that no StringSession holds is refused with the reason."""
    with pytest.raises(NotLoggedIn, match="does not fit"):
        write_string_session(Session(dc_id, address, port, b"k" * 256))
