"""Where a call goes that is handed to another node: nothing in its path leads anywhere else."""

from __future__ import annotations

import pytest

from api.nodes.forwarding import target_of

NODES = {
    "http://node:8080": ("node", b""),
    "https://node.example/": ("node.example", b""),
    "http://10.0.0.7:8080/telefix": ("10.0.0.7", b"/telefix"),
}


@pytest.mark.parametrize("url", NODES)
@pytest.mark.parametrize(
    ("path", "query", "seen"),
    [
        (b"/numbers/380955821319", b"", b"/numbers/380955821319"),
        (b"/webhook", b"number=%2B380&name=a+b", b"/webhook?number=%2B380&name=a+b"),
        (b"/numbers/1@evil.example:81/x", b"", b"/numbers/1@evil.example:81/x"),
        (b"//evil.example/x", b"", b"//evil.example/x"),
        (b"/numbers/1/messages/..", b"", b"/numbers/1/messages/%2e."),
        (b"/numbers/1/../../nodes/numbers", b"", b"/numbers/1/%2e./%2e./nodes/numbers"),
        (b"/numbers/1#cut", b"a=b#cut", b"/numbers/1%23cut?a=b%23cut"),
    ],
)
def test_target_is_on_the_node(url: str, path: bytes, query: bytes, seen: bytes) -> None:
    """The cluster key goes only to the node, which sees the whole path and takes no step of it back."""
    host, prefix = NODES[url]

    target = target_of(url, path, query)

    assert (target.host, target.userinfo, target.raw_path) == (host, b"", prefix + seen)
