"""Which addresses may be a client's Planfix account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.requests.addresses import objection

PUBLIC = [
    "https://romashka.planfix.ua/webchat/api",
    "https://romashka.planfix.ua:8443/webchat/api?x=1",
    "https://8.8.8.8/webchat/api",
    "https://[2606:4700::1111]/webchat/api",
]
PRIVATE = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://127.0.0.1./",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://224.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://planfix/",
    "https://planfix.local/",
    "https://metadata.google.internal/",
]
NO_ADDRESS = [
    "",
    "planfix",
    "ftp://romashka.planfix.ua/",
    "file:///etc/passwd",
    "https://",
    "https:///path",
    "https://a b.planfix.ua/",
    "https://romashka.planfix.ua:0/",
    "https://romashka.planfix.ua:99999/",
    "https://romashka.planfix.ua\\@127.0.0.1/",
    "https://[::1/",
    "https://ромашка.планфикс/",
    "https://user@romashka.planfix.ua/",
    "https://user:pass@romashka.planfix.ua/",
]


@pytest.mark.parametrize("url", PUBLIC)
def test_public_https_address_is_fine(url: str) -> None:
    """A public https address is what clients have."""
    assert objection(url, allow_private=False) is None


@pytest.mark.parametrize("url", [*PRIVATE, *NO_ADDRESS, "http://romashka.planfix.ua/"])
def test_other_address_is_refused(url: str) -> None:
    """Whatever leads inside, or is not encrypted, or is no address, is refused."""
    assert objection(url, allow_private=False)


@pytest.mark.parametrize("url", [*PUBLIC, *PRIVATE, "http://127.0.0.1:8081/planfix/a"])
def test_private_address_can_be_allowed(url: str) -> None:
    """ALLOW_PRIVATE_PLANFIX lets any host in, over http too."""
    assert objection(url, allow_private=True) is None


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_no_address_is_never_allowed(url: str) -> None:
    """What is no address stays refused."""
    assert objection(url, allow_private=True)


@given(url=st.text(), allow_private=st.booleans())
def test_any_text_gets_an_answer(url: str, allow_private: bool) -> None:
    """No text whatever makes the check fail."""
    assert objection(f"https://{url}", allow_private=allow_private) != ""
