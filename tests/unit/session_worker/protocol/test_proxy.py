"""What a proxy's address may look like."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode

import pytest

from session_worker.process.log import HIDDEN, Redactor
from session_worker.protocol.proxy import ProxyKind, ProxyMalformed, parse_proxy

SECRET = bytes(range(0xF0, 0x100))


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("socks5://proxy.example.com:1080", ProxyKind.SOCKS5, "socks5://proxy.example.com:1080"),
        ("socks5h://PROXY.example.com:1080/", ProxyKind.SOCKS5, "socks5://proxy.example.com:1080"),
        ("http://u:p@203.0.113.7:3128", ProxyKind.HTTP, "http://203.0.113.7:3128"),
        ("socks5://[2001:db8::1]:1080", ProxyKind.SOCKS5, "socks5://[2001:db8::1]:1080"),
    ],
)
def test_address_is_read(text: str, kind: ProxyKind, place: str) -> None:
    """Kind, host and port are taken from the address, and are all that is shown of it."""
    proxy = parse_proxy(text, may_be_private=False)

    assert (proxy.kind, proxy.place) == (kind, place)


def test_credentials_are_unquoted() -> None:
    """Signs that mean something in an address may stand in a password, quoted."""
    proxy = parse_proxy("socks5://ol%3Aena:p%40ss%2F%25@h.example:1", may_be_private=False)

    assert (proxy.username, proxy.password) == ("ol:ena", "p@ss/%")


@pytest.mark.parametrize(
    ("written", "is_padded"),
    [
        (SECRET.hex(), False),
        (SECRET.hex().upper(), False),
        ("dd" + SECRET.hex(), True),
        ("ee" + SECRET.hex() + b"example.com".hex(), True),
        (urlsafe_b64encode(SECRET).decode(), False),
        (urlsafe_b64encode(b"\xdd" + SECRET).decode().rstrip("="), True),
        (urlsafe_b64encode(b"\xee" + SECRET + b"example.com").decode().rstrip("="), True),
    ],
)
def test_secret_is_read_in_every_form(written: str, is_padded: bool) -> None:
    """Plain, dd and ee secrets, in hex or base64, all name the same sixteen bytes."""
    proxy = parse_proxy(f"mtproxy://{written}@h.example:443", may_be_private=False)

    assert (proxy.secret, proxy.is_padded) == (SECRET, is_padded)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must look like"),
        ("proxy.example.com:1080", "start with"),
        ("https://h.example:1", "start with"),
        ("socks4://h.example:1", "start with"),
        ("socks5://h.example", "port"),
        ("socks5://h.example:0", "port"),
        ("socks5://h.example:65536", "must look like"),
        ("socks5://:1080", "host"),
        ("socks5://h.example:1/path", "end after the port"),
        ("socks5://h.example:1?a=b", "end after the port"),
        ("socks5://user@h.example:1", "both"),
        ("socks5://user:@h.example:1", "both"),
        (f"socks5://{'u' * 256}:p@h.example:1", "255"),
        ("socks5://u%0A:p@h.example:1", "control"),
        ("socks5://u%FF:p@h.example:1", "UTF-8"),
        ("http://u%3Av:p@h.example:1", "colon"),
        ("socks5://h example:1", "must look like"),
        ("mtproxy://h.example:443", "secret"),
        ("mtproxy://0123@h.example:443", "secret"),
        (f"mtproxy://{SECRET.hex()}00@h.example:443", "secret"),
        (f"mtproxy://aa{SECRET.hex()}@h.example:443", "secret"),
        (f"mtproxy://{SECRET.hex()}:p@h.example:443", "secret"),
    ],
)
def test_what_is_no_proxy_is_refused(text: str, reason: str) -> None:
    """The reason is told without what was sent."""
    with pytest.raises(ProxyMalformed, match=reason) as refusal:
        parse_proxy(text, may_be_private=True)

    assert SECRET.hex() not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "socks5://olena-user:p%40ssword-1@h.example:1080",
        "http://olena-user:p%40ssword-1@h.example:1080",
        f"mtproxy://dd{SECRET.hex()}@h.example:443",
    ],
)
def test_no_form_of_its_secrets_is_shown(text: str) -> None:
    """Neither the value nor a log line shows what opens the proxy, however it is written."""
    proxy = parse_proxy(text, may_be_private=False)
    basic = b64encode(b"olena-user:p@ssword-1").decode()
    line = f"{text} {SECRET.hex()} {SECRET!r} p@ssword-1 p%40ssword-1 Basic {basic}"

    cleaned = Redactor(proxy.secrets).clean(line)

    for said in (
        repr(proxy),
        proxy.place,
        Redactor().clean(text),
        *([cleaned] if proxy.password else []),
    ):
        for secret in ("p@ssword-1", "p%40ssword-1", basic, SECRET.hex()[:-2]):
            if secret != SECRET.hex()[:-2] or proxy.secret:
                assert secret not in said
    assert HIDDEN in cleaned
