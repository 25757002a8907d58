"""Plays the whole story: an organizer, an event, a buyer, a ticket, clean-up."""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from pathlib import Path

from box_office import NOT_TOLD, BoxOffice

LONGEST_SALE = 3.5  # seconds: a notification takes three at most


def test_telegram_integration() -> None:
    """A ticket is sold whatever becomes of the notifications."""
    run_story()


def run_story() -> bool:
    """Return whether both notifications were sent."""
    with tempfile.TemporaryDirectory() as folder:
        box_office = BoxOffice(str(Path(folder) / "events.db"))
        try:
            return play(box_office)
        finally:
            box_office.close()


def play(box_office: BoxOffice) -> bool:
    organizer = box_office.add_organizer("Test organizer")
    print(f"1. Organizer {organizer} was created.")
    event = box_office.create_event(
        organizer, "Rock & <Roll>", "Kyiv", "2026-12-31 19:00", price=990, seats=1
    )
    print(f"2. Event {event.id} was created. {told(event.is_told)}")
    buyer = box_office.add_buyer("Test buyer")
    print(f"3. Buyer {buyer} was created.")
    began = time.monotonic()
    ticket = box_office.sell_ticket(event.id, buyer)
    duration = time.monotonic() - began
    print(f"4. Ticket {ticket.id} was sold. {told(ticket.is_told)}")
    if box_office.counts()["ticket"] != 1 or duration > LONGEST_SALE:
        raise RuntimeError("the sale failed or took too long")
    box_office.delete(organizer=organizer, buyer=buyer)
    if any(box_office.counts().values()):
        raise RuntimeError("something is left")
    print("5. Everything was deleted.")
    return event.is_told and ticket.is_told


def told(is_told: bool) -> str:
    return "The notification was sent." if is_told else NOT_TOLD


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    sys.exit(0 if run_story() else 1)
