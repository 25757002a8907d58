"""The words that module names are made of, and the reasons of modules that look needless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# The glossary, the protocols (Telegram, Planfix, HTTP, SQL), engineering. No pictures.
WORDS: Final = frozenset(
    """
    access account accounts actions address addresses admission albums and announcements
    answer app assembly attached attachment attachments audit authenticator backoff bodies
    body books box breaker browsing by bytes cache call calls centre centres channel channels
    chat chats check cipher circuit client clock codec command commands config confinement
    connect connection contacts context contract control data database decisions decoding
    delivered delivery demo dh dialog dialogs difference dir dispatcher downloads echo edits
    embedded employee en encoded encryption end engines entry epoch erasure errors event
    exchange exit exports failure failures fault faults fields figure file files filling
    filter fleet flood folder forkserver form formatting forwards framing gap gateway group
    groups guard guarded hand handshake header health hedging history http id identity in index init
    input intake journal keeper keepers kernel key keys kind landlock lanes layer lease
    lifespan limit lines links liveness load lock log login logins logout lookup mailbox main
    markup media memory merging message messages metered migration models mtproxy newer number numbers
    off on openapi operator out outage outages outcome outcomes over own owner page pages parser part
    password peer pending people phone photos picture pieces pipe placement plan planfix planner
    policy polling pool posts preload private probe process profile profiles program proxies
    proxy public push qr queue receipts receiver recent recipient recipients records
    registration rendering reply report reporter request requests restart retention rotation
    rpc ru run running runs sandbox sealed search seccomp send sender server service session
    sessions settings shape sign soak socks5 spool srp start starvation state status statuses
    store stored stream syscall tables takeover tasks tcp telegram text texts thread timing tl token
    tokens traffic transactions transfer transport transports uk update updates upload uploads upsert user
    users value values vault view viewer views warmup webhook worker writer
    """.split()  # noqa: SIM905 - read as a text, not as a list
)

REASONS: Final[Mapping[str, str]] = {
    "api/operations/pages.py": "pages for people, beside calls for machines",
    "api/requests/connection.py": "the only place that knows Hypercorn's insides",
    "sandbox/control/app.py": "joins the control calls, each of which is a module",
    "sandbox/control/page.py": "a page for people, beside calls for programs",
    "sandbox/telegram/placement.py": "a table of its own",
    "sandbox/telegram/running_requests.py": "a data structure of its own",
    "supervisor/log.py": "the API may not import session_worker",
    "supervisor/messages/planner.py": "the only place of the dispatcher's that uses threads",
    "supervisor/numbers/exit_log.py": "what is logged is decided apart from what is done",
    "supervisor/numbers/token_cache.py": "a cache with rules of its own",
    "supervisor/proxy.py": "the API may not import session_worker",
    "supervisor/store/runs.py": "one module for each thing that is stored",
    "supervisor/store/sealed_proxy.py": "one module for each thing that is stored",
}
