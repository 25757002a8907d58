"""Sells tickets for events, and tells Telegram of both without depending on it."""

from __future__ import annotations

import argparse
import logging
import os
import sqlite3
import sys
from typing import NamedTuple

from telefix_notifier import (
    format_event_created_message,
    format_ticket_purchased_message,
    send_telegram_message,
)

TABLES = """
CREATE TABLE IF NOT EXISTS organizer (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS buyer (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, organizer INTEGER NOT NULL REFERENCES organizer (id),
    title TEXT NOT NULL, location TEXT NOT NULL, date TEXT NOT NULL,
    price INTEGER NOT NULL, seats INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS ticket (
    id INTEGER PRIMARY KEY, event INTEGER NOT NULL REFERENCES event (id),
    buyer INTEGER NOT NULL REFERENCES buyer (id)
);
"""
NOT_TOLD = "The notification was not sent; see the log."


class SoldOut(Exception):
    """The event has no seats left."""


class Done(NamedTuple):
    """What was stored, and whether Telegram was told of it."""

    id: int
    is_told: bool


class BoxOffice:
    """Organizers, events, buyers and tickets in one SQLite file."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA foreign_keys = ON")
        self._database.executescript(TABLES)

    def close(self) -> None:
        self._database.close()

    def add_organizer(self, name: str) -> int:
        return self._insert("INSERT INTO organizer (name) VALUES (?)", name)

    def add_buyer(self, name: str) -> int:
        return self._insert("INSERT INTO buyer (name) VALUES (?)", name)

    def create_event(
        self, organizer: int, title: str, location: str, date: str, *, price: int, seats: int
    ) -> Done:
        """Store an event, then tell Telegram of it."""
        event = self._insert(
            "INSERT INTO event (organizer, title, location, date, price, seats)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(organizer, title, location, date, price, seats),
        )
        name = self._value("SELECT name FROM organizer WHERE id = ?", organizer)
        message = format_event_created_message(title, location, date, name)
        return Done(event, send_telegram_message(message))

    def sell_ticket(self, event: int, buyer: int) -> Done:
        """Store a ticket, then tell Telegram of it; raise SoldOut if there is none left."""
        with self._database:
            taken = self._database.execute(
                "UPDATE event SET seats = seats - 1 WHERE id = ? AND seats > 0", (event,)
            ).rowcount
            if not taken:
                raise SoldOut
            ticket = self._database.execute(
                "INSERT INTO ticket (event, buyer) VALUES (?, ?)", (event, buyer)
            ).lastrowid
        title = self._value("SELECT title FROM event WHERE id = ?", event)
        price = self._value("SELECT price FROM event WHERE id = ?", event)
        name = self._value("SELECT name FROM buyer WHERE id = ?", buyer)
        message = format_ticket_purchased_message(title, price, name)
        return Done(ticket or 0, send_telegram_message(message))

    def delete(self, *, organizer: int, buyer: int) -> None:
        """Delete an organizer with all their events, and a buyer with all their tickets."""
        with self._database:
            self._database.execute(
                "DELETE FROM ticket WHERE buyer = ?"
                " OR event IN (SELECT id FROM event WHERE organizer = ?)",
                (buyer, organizer),
            )
            self._database.execute("DELETE FROM event WHERE organizer = ?", (organizer,))
            self._database.execute("DELETE FROM organizer WHERE id = ?", (organizer,))
            self._database.execute("DELETE FROM buyer WHERE id = ?", (buyer,))

    def counts(self) -> dict[str, int]:
        tables = ("organizer", "event", "buyer", "ticket")
        return {table: int(self._value(f"SELECT count(*) FROM {table}")) for table in tables}  # noqa: S608 - the names are ours

    def _insert(self, statement: str, *values: object) -> int:
        with self._database:
            return self._database.execute(statement, values).lastrowid or 0

    def _value(self, query: str, *values: object) -> str:
        row = self._database.execute(query, values).fetchone()
        return str(row[0])


def database_path() -> str:
    url = os.environ.get("DATABASE_URL", "sqlite:///main_database.db")
    return url.removeprefix("sqlite:///")


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    box_office = BoxOffice(database_path())
    try:
        print(run(box_office, parse(arguments)))
    except SoldOut:
        print("Sold out.")
        return 1
    except sqlite3.IntegrityError:
        print("There is no such organizer, event or buyer.")
        return 1
    finally:
        box_office.close()
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for person in ("organizer", "buyer"):
        commands.add_parser(person).add_argument("name")
    event = commands.add_parser("event")
    event.add_argument("organizer", type=int)
    for text in ("title", "location", "date"):
        event.add_argument(text)
    for number in ("price", "seats"):
        event.add_argument(number, type=int)
    ticket = commands.add_parser("ticket")
    ticket.add_argument("event", type=int)
    ticket.add_argument("buyer", type=int)
    return parser.parse_args(arguments)


def run(box_office: BoxOffice, asked: argparse.Namespace) -> str:
    """Do what was asked, and say what was done."""
    match asked.command:
        case "organizer":
            return f"Organizer {box_office.add_organizer(asked.name)}."
        case "buyer":
            return f"Buyer {box_office.add_buyer(asked.name)}."
        case "event":
            done = box_office.create_event(
                *(asked.organizer, asked.title, asked.location, asked.date),
                price=asked.price,
                seats=asked.seats,
            )
            what = "Event"
        case _:
            done = box_office.sell_ticket(asked.event, asked.buyer)
            what = "Ticket"
    return f"{what} {done.id}." if done.is_told else f"{what} {done.id}. {NOT_TOLD}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
