"""Turns the InputMedia of a request into the media of a message."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, TypeVar

from telethon.tl import types

from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.file_access import check_reference, make_access_hash
from sandbox.telegram.files.media import Document, Photo

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.rpc import Call

_DICE = {"🎲": 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "🎰": 64}
_VENUE_FIELDS = ("title", "address", "provider", "venue_id", "venue_type")
_POLL_ANSWERS = range(2, 13)
Item = TypeVar("Item", Photo, Document)


def make_media(call: Call, wanted: Any) -> Any:
    """Make the media of a message from a client's media; raise RpcError if it cannot be sent."""
    make = _MAKERS.get(type(wanted))
    if make is None:
        raise RpcError("MEDIA_INVALID")
    return make(call, wanted)


def find_item(call: Call, kind: type[Item], named: Any) -> Item | None:
    """Return the photo or document that an id with its access hash names."""
    item = call.services.files.items.get(getattr(named, "id", 0))
    if not isinstance(item, kind) or named.access_hash != make_access_hash(call.account, item.id):
        return None
    return item


def _refuse_empty(_call: Call, _wanted: Any) -> Any:
    raise RpcError("MEDIA_EMPTY")


def _refuse_external(_call: Call, _wanted: Any) -> Any:
    # The sandbox fetches nothing from outside the machine.
    raise RpcError("WEBPAGE_CURL_FAILED")


def _make_uploaded_photo(call: Call, wanted: Any) -> Photo:
    file = call.services.files.assemble(call.account.id, wanted.file)
    return call.services.intake.photo(file, wanted.file.name)


def _make_uploaded_document(call: Call, wanted: Any) -> Document:
    files, owner_id = call.services.files, call.account.id
    return call.services.intake.document(
        files.assemble(owner_id, wanted.file),
        wanted.mime_type,
        wanted.attributes,
        files.assemble(owner_id, wanted.thumb) if wanted.thumb else None,
        force_file=bool(wanted.force_file),
    )


def _make_photo(call: Call, wanted: Any) -> Photo:
    return _make_item(call, Photo, wanted.id)


def _make_document(call: Call, wanted: Any) -> Document:
    return _make_item(call, Document, wanted.id)


def _make_item(call: Call, kind: type[Item], named: Any) -> Item:
    item = find_item(call, kind, named)
    if item is None:
        raise RpcError("MEDIA_EMPTY")
    check_reference(call.account, item.id, named.file_reference)
    return item


def _make_geo(_call: Call, wanted: Any) -> Any:
    return types.MessageMediaGeo(_point(wanted.geo_point))


def _make_live_geo(_call: Call, wanted: Any) -> Any:
    if not wanted.period:
        raise RpcError("MEDIA_INVALID")
    return types.MessageMediaGeoLive(
        _point(wanted.geo_point),
        wanted.period,
        wanted.heading,
        wanted.proximity_notification_radius,
    )


def _make_venue(_call: Call, wanted: Any) -> Any:
    fields = {name: getattr(wanted, name) for name in _VENUE_FIELDS}
    return types.MessageMediaVenue(_point(wanted.geo_point), **fields)


def _point(place: Any) -> Any:
    if not isinstance(place, types.InputGeoPoint):
        raise RpcError("MEDIA_EMPTY")
    if not (abs(place.lat) <= 90 and abs(place.long) <= 180):
        raise RpcError("GEO_POINT_INVALID")
    access_hash = secrets.randbits(62)
    return types.GeoPoint(place.long, place.lat, access_hash, place.accuracy_radius)


def _make_contact(call: Call, wanted: Any) -> Any:
    known = call.services.accounts.find_by_phone(wanted.phone_number)
    may_know = known is not None and (known.phone_visible or known is call.account)
    user_id = known.id if known and may_know and not known.bot else 0
    return types.MessageMediaContact(
        wanted.phone_number, wanted.first_name, wanted.last_name, wanted.vcard, user_id
    )


def _make_poll(call: Call, wanted: Any) -> Any:
    poll = wanted.poll
    if not poll.question.text.strip():
        raise RpcError("POLL_QUESTION_INVALID")
    if len(poll.answers) not in _POLL_ANSWERS:
        raise RpcError("POLL_ANSWERS_INVALID")
    kept = types.Poll(
        call.services.files.next_id(),
        poll.question,
        [_answer(number, answer) for number, answer in enumerate(poll.answers)],
        hash=0,
        public_voters=poll.public_voters,
        multiple_choice=poll.multiple_choice,
        quiz=poll.quiz,
        close_period=poll.close_period,
        close_date=poll.close_date,
    )
    return types.MessageMediaPoll(kept, types.PollResults(total_voters=0))


def _answer(number: int, answer: Any) -> Any:
    option = getattr(answer, "option", None) or b"%d" % number
    return types.PollAnswer(answer.text, option)


def _make_dice(_call: Call, wanted: Any) -> Any:
    sides = _DICE.get(wanted.emoticon.rstrip("\ufe0f"))
    if sides is None:
        raise RpcError("EMOTICON_INVALID")
    return types.MessageMediaDice(1 + secrets.randbelow(sides), wanted.emoticon)


_MAKERS: dict[type, Callable[[Call, Any], Any]] = {
    types.InputMediaEmpty: _refuse_empty,
    types.InputMediaPhotoExternal: _refuse_external,
    types.InputMediaDocumentExternal: _refuse_external,
    types.InputMediaUploadedPhoto: _make_uploaded_photo,
    types.InputMediaUploadedDocument: _make_uploaded_document,
    types.InputMediaPhoto: _make_photo,
    types.InputMediaDocument: _make_document,
    types.InputMediaGeoPoint: _make_geo,
    types.InputMediaGeoLive: _make_live_geo,
    types.InputMediaVenue: _make_venue,
    types.InputMediaContact: _make_contact,
    types.InputMediaPoll: _make_poll,
    types.InputMediaDice: _make_dice,
}
