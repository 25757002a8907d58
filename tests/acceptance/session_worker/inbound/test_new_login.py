"""People are known by name after a new login, though its access hashes are others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.protocol.contract import NO_HASH
from tests.acceptance.session_worker.number import imported

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber


async def log_in_anew(inbound: InboundNumber) -> None:
    """Go on under another login, whose hashes nobody knows yet."""
    await inbound.stop()
    session = inbound.recorder.session
    assert session is not None
    key = imported(inbound.centre.session_string_for(inbound.me.phone)).auth_key
    entities = tuple(each.model_copy(update={"access_hash": NO_HASH}) for each in session.entities)
    inbound.recorder.session = session.model_copy(update={"auth_key": key, "entities": entities})
    await inbound.start_again()


async def test_writer_of_a_short_update_has_a_name(inbound: InboundNumber) -> None:
    """Telegram's short form names nobody."""
    inbound.write("before")
    await inbound.until_texts("before")
    await inbound.until_settled()
    await log_in_anew(inbound)
    inbound.centre.update_push.prefers_short = True

    inbound.write("after")

    await inbound.until_texts("before", "after")
    assert inbound.calls("newMessage")[-1]["contactName"] == "Taras"


async def test_writer_of_a_deleted_message_has_a_name(inbound: InboundNumber) -> None:
    """A deletion names nobody either."""
    posted = inbound.write("before")
    await inbound.until_texts("before")
    await inbound.until_settled()
    await log_in_anew(inbound)

    inbound.centre.message_actions.delete(inbound.contact, [posted.message.id], for_all=True)

    await inbound.until_texts("before", "Message deleted")
    assert inbound.calls("newMessage")[-1]["contactName"] == "Taras"
