"""People are known by name after a new login, though its access hashes are others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.protocol.contract import NO_HASH
from tests.acceptance.session_worker.number import imported

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.bench import Bench


async def log_in_anew(bench: Bench) -> None:
    """Go on under another login, whose hashes nobody knows yet."""
    await bench.stop()
    session = bench.desk.session
    assert session is not None
    key = imported(bench.centre.session_string_for(bench.me.phone)).auth_key
    entities = tuple(each.model_copy(update={"access_hash": NO_HASH}) for each in session.entities)
    bench.desk.session = session.model_copy(update={"auth_key": key, "entities": entities})
    await bench.start_again()


async def test_writer_of_a_short_update_has_a_name(bench: Bench) -> None:
    """Telegram's short form names nobody."""
    bench.write("before")
    await bench.until_texts("before")
    await bench.until_settled()
    await log_in_anew(bench)
    bench.centre.courier.prefers_short = True

    bench.write("after")

    await bench.until_texts("before", "after")
    assert bench.calls("newMessage")[-1]["contactName"] == "Taras"


async def test_writer_of_a_deleted_message_has_a_name(bench: Bench) -> None:
    """A deletion names nobody either."""
    posted = bench.write("before")
    await bench.until_texts("before")
    await bench.until_settled()
    await log_in_anew(bench)

    bench.centre.post_office.delete(bench.contact, [posted.message.id], for_all=True)

    await bench.until_texts("before", "Message deleted")
    assert bench.calls("newMessage")[-1]["contactName"] == "Taras"
