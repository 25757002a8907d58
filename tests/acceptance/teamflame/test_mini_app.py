"""The Mini App's files: what is built is served, safely and small."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.teamflame.office import Office

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_page(office: Office) -> None:
    """The page names files that are there, and its policy allows the styles of its own nonce only."""
    first = await office.client.get("/teamflame/app/")
    again = await office.client.get("/teamflame/app/")
    page = await first.get_data(as_text=True)
    policy = first.headers["Content-Security-Policy"]

    names = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page)
    assert names
    for name in names:
        assert (await office.client.get(f"/teamflame/app/{name}")).status_code == 200
    [nonce] = re.findall(r"'nonce-([^']+)'", policy)
    assert nonce in page
    assert "__NONCE__" not in page
    assert nonce not in await again.get_data(as_text=True)
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self' https://web.telegram.org" in policy


async def test_scripts_are_compressed(office: Office) -> None:
    """A script goes compressed to whoever understands that, with the same content as plain."""
    page = await (await office.client.get("/teamflame/app/")).get_data(as_text=True)
    [name] = re.findall(r'src="\./(assets/[^"]+\.js)"', page)
    url = f"/teamflame/app/{name}"

    plain = await office.client.get(url)
    small = await office.client.get(url, headers={"Accept-Encoding": "gzip, br"})

    body = await small.get_data(as_text=False)
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == await plain.get_data(as_text=False)
    assert "immutable" in small.headers["Cache-Control"]
    assert len(body) <= 150 * 1024


@pytest.mark.parametrize("name", ["..%2findex.html", "index.html", "app.js", "%2e%2e/x.js"])
async def test_nothing_else_is_served(office: Office, name: str) -> None:
    """A name that was not built leads nowhere."""
    response = await office.client.get(f"/teamflame/app/assets/{name}")

    assert response.status_code == 404
