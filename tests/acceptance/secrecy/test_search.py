"""The search for secrets is itself looked at."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, urlencode

import pytest

from tests.acceptance.secrecy.search import find_code, find_secrets, forms_of

SECRETS = [b"a secret word", b"\x00\xfebytes of a key\xff", "слово".encode()]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_encoded_secret_is_found(secret: bytes, before: bytes) -> None:
    """Whatever stands around it: as it is, in hexadecimal, in base64, as Python shows it."""
    whole = before + secret + b"after"
    written = [whole, whole.hex().encode(), repr(whole).encode()]
    written += [b64encode(whole), urlsafe_b64encode(whole), b64encode(before + secret)]

    for each in written:
        assert find_secrets({"it": secret}, [("here", each)]) == [("it", "here")], each


@pytest.mark.parametrize("text", ["a+secret/word", "слово"])
def test_escaped_text_is_found(text: str) -> None:
    """In an address, in a form, in JSON too."""
    written = [quote(text, safe=""), urlencode({"a": text}), json.dumps({"a": text})]

    assert all(any(form in each.encode() for form in forms_of(text.encode())) for each in written)


def test_other_text_is_no_secret() -> None:
    """What only begins like it is none."""
    assert find_secrets({"it": b"a secret word"}, [("here", b"a secret worm")]) == []


def test_code_is_told_from_other_digits() -> None:
    """A port, a process, a part of a longer number is no code."""
    written = [b"code=12345&", b'{"code": "12345"}', b"phone_code: 12345", b"Code '12345'"]
    others = [b"pid 12345", b"127.0.0.1:12345", b"code 123456", b"barcode 0 12345 7"]

    assert find_code("12345", [("code", each) for each in written]) == ["code"] * 4
    assert find_code("12345", [("other", each) for each in others]) == []
