"""The words that module names are made of, and the reasons of modules that look needless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What docs/architecture.md calls the things of this product, in the singular and the plural.
GLOSSARY: Final = _words(
    """
    admission bot bots chat chats client clients contact contacts dead delivered delivery
    demo echo employee first gateway glossary governor journal keeper keepers lane lanes letter letters liveness
    login logins logout node nodes notice notification notifications number numbers operator outage owner
    ownership part parts
    heard people placement receipt receipts recipient recipients registration sandbox session sessions supervisor
    takeover teamflame template templates token tokens trouble troubles worker workers
    """
)

# Telegram and MTProto, Planfix's chat API, HTTP, proxies, SQL, the kernel, languages.
PROTOCOLS: Final = _words(
    """
    account accounts addresses albums answer attached attachment attachments buttons calls centre
    centres channel channels command commands connect dh dialog dialogs edits en
    exports file files flood form forwards framing gap group groups header history
    html http incoming kernel key keys layer mailbox markup media message messages mtproxy openapi
    password markdown marked multipart peer phone photos pipe planfix posts profile proxies proxy qr
    reply request requests rest rpc ru seccomp sign socks5 srp status tables tasks
    tcp text texts thread tl transport uk update updates upload uploads
    users web webhook webhooks
    """
)

ENGINEERING: Final = _words(
    """
    chosen choice choices folders progress reactions rule
    kind rows content operations workspace hour last
    board screens snapshot snapshots steps talk watch watching
    auth boards choices conversation endpoints mini proof
    background events loop outages questions
    chart clock code comparison connected environment fairness flask growth one restarts sitecustomize spawned
    alarm alarms alert rules answers feed histogram monitor summary
    ageing access actions address announcements app assembly audit authenticator backoff bodies body
    breaker browsing budget bytes cache check circuit clock cluster codec config confinement
    connection context contract control coordination data database default decoding dispatcher draining
    downloads encoded encryption engines entry erasure errors event exchange
    exit facts failures fault faults fields filling fleet forkserver forwarding
    guard guarded hanging hand health index init input intake layout lease lifespan
    links load log lookup main mark measurement memory merging models newer older layers
    order outcome outcomes outgoing page pages parser pending picture plain plan policy polling pool preload
    process processes push queue rates receiver reconciliation records
    rendering report reporter restart run runner running search
    sender server service services settings shape soak starvation state store
    stored traffic transactions transfer trial upkeep values vault view viewer views warmup writer
    """
)

JOINING: Final = _words("and in off on out over own")

WORDS: Final = GLOSSARY | PROTOCOLS | ENGINEERING | JOINING

REASONS: Final[Mapping[str, str]] = {
    "teamflame/store/snapshots.py": "one module for each thing that is stored",
    "sandbox/control/page.py": "a page for people, beside calls for programs",
    "sandbox/telegram/running_requests.py": "a data structure of its own",
}
