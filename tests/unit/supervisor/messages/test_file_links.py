"""Links to files: nobody makes, changes or keeps one for ever."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.encryption.vault import link_keys
from supervisor.errors import LinkExpired, LinkInvalid
from supervisor.messages.file_links import FileLinks, MessageFile, Photo

OLD, NEW = (base64.urlsafe_b64encode(bytes([byte]) * 32).decode() for byte in (1, 2))
FILE = MessageFile("79001234567", 12, 0)
NOW = 1_700_000_000.0


def links(secret_key: str = NEW) -> FileLinks:
    return FileLinks(link_keys(secret_key), "https://gateway.example", 100)


def token_of(link: str) -> str:
    return link.split("/")[-2]


@given(
    row=st.integers(0, 10**17),
    index=st.integers(0, 10**4),
    photo=st.integers(-(2**63), 2**63),
    mark=st.builds("{}-{}".format, st.integers(-(2**63), 2**63), st.integers(0, 2**63)),
)
def test_link_leads_back(row: int, index: int, photo: int, mark: str) -> None:
    """A link of ours names what it was made for."""
    unmarked = MessageFile("79001234567", row, index)
    for place in (unmarked, replace(unmarked, mark=mark), Photo("79001234567", photo)):
        if isinstance(place, Photo):
            link = links().of_photo(place, "photo.jpg", NOW)
        else:
            link = links().of_file(place, "a.jpg", NOW)

        assert links().check(token_of(link), NOW + 99) == place


@given(name=st.text(max_size=50))
def test_name_is_one_step_of_the_path(name: str) -> None:
    """Whatever a file is called, the link has the name at its end, fit for a URL."""
    link = links().of_file(FILE, name, NOW)

    start, step = link.rsplit("/", 1)
    assert start == f"https://gateway.example/files/{token_of(link)}"
    assert step.isascii()
    assert step.strip(".")
    assert unquote(step) == name.replace("/", "_") or not name.strip(".")


def test_link_expires() -> None:
    """After its time a link is told to be old, not to be wrong."""
    token = token_of(links().of_file(FILE, "a", NOW))

    with pytest.raises(LinkExpired):
        links().check(token, NOW + 100)


@given(place=st.integers(0, 200), character=st.characters())
def test_changed_link_is_refused(place: int, character: str) -> None:
    """One other character anywhere, and it is no link of ours."""
    token = token_of(links().of_file(FILE, "a", NOW))
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]

    if changed != token:
        with pytest.raises(LinkInvalid):
            links().check(changed, NOW)


@given(token=st.text())
def test_nonsense_is_refused(token: str) -> None:
    """Whatever somebody tries is no link, nothing else happens."""
    with pytest.raises(LinkInvalid):
        links().check(token, NOW)


def test_every_key_verifies_the_first_signs() -> None:
    """While keys rotate old links go on working; without the key they die."""
    old = token_of(links(OLD).of_file(FILE, "a", NOW))
    both = links(f"{NEW},{OLD}")
    new = token_of(both.of_file(FILE, "a", NOW))

    assert both.check(old, NOW) == links(NEW).check(new, NOW) == FILE
    with pytest.raises(LinkInvalid):
        links(NEW).check(old, NOW)
    with pytest.raises(LinkInvalid):
        links(OLD).check(new, NOW)
