"""A session starts from what was stored, then tells what is new."""

from __future__ import annotations

import pytest
from telethon.tl import types

from session_worker.protocol.contract import (
    DataCentre,
    EntitiesSeen,
    Entity,
    StoredSession,
    UpdateState,
)
from session_worker.telegram.connection.session_memory import MOST_PEERS, WorkerSession

KEY = bytes(range(256))
BO = Entity(peer_id=7, access_hash=77, username="bobo_77", phone="380501", name="Bo")
STORED = StoredSession(
    dc_id=4,
    server_address="149.154.167.91",
    port=443,
    auth_key=KEY,
    user_id=1,
    update_state=UpdateState(pts=5),
    entities=(BO,),
)


def user(user_id: int, access_hash: int, name: str = "Bo") -> types.User:
    return types.User(id=user_id, access_hash=access_hash, first_name=name)


def people(*users: types.User) -> types.contacts.ResolvedPeer:
    return types.contacts.ResolvedPeer(None, [], list(users))


def test_it_starts_where_it_was_stored() -> None:
    """Data centre and key are those of the stored session."""
    session = WorkerSession(STORED, None)

    assert (session.dc_id, session.server_address, session.port) == (4, "149.154.167.91", 443)
    assert session.auth_key.key == KEY


def test_another_data_centre_takes_the_place_of_telegrams() -> None:
    """Where one is assigned nothing is sent anywhere else."""
    other = DataCentre(host="127.0.0.1", port=4431, public_key="", dc_id=2)

    session = WorkerSession(STORED, other)

    assert (session.dc_id, session.server_address, session.port) == (2, "127.0.0.1", 4431)


def test_a_stored_peer_can_be_addressed() -> None:
    """Id, username, phone: each leads to the access hash that was stored."""
    session = WorkerSession(STORED, None)

    for key in (7, "bobo_77", "+380501"):
        peer = session.get_input_entity(key)
        assert (peer.user_id, peer.access_hash) == (7, 77)


def test_an_unknown_peer_is_not_made_up() -> None:
    """Without a hash there is no address."""
    with pytest.raises(ValueError, match="Could not find"):
        WorkerSession(STORED, None).get_input_entity(8)


def test_new_and_changed_peers_are_told_once() -> None:
    """A peer is worth telling when it is new or not as it was."""
    session = WorkerSession(STORED, None)

    session.process_entities(people(user(8, 88, "Al")))
    first = session.take_entities()
    session.process_entities(people(user(8, 88, "Al")))
    second = session.take_entities()
    session.process_entities(people(user(8, 89, "Al")))
    third = session.take_entities()

    assert first == (Entity(peer_id=8, access_hash=88, name="Al"),)
    assert second == ()
    assert third == (Entity(peer_id=8, access_hash=89, name="Al"),)


def test_many_peers_are_told_in_portions() -> None:
    """No event grows past what a frame of the pipe can carry."""
    session = WorkerSession(None, None)
    session.process_entities(people(*(user(number, 1) for number in range(1, 1201))))

    portions = [len(session.take_entities()) for _ in range(4)]

    assert portions == [500, 500, 200, 0]


def test_chats_are_not_kept() -> None:
    """The gateway serves private chats: groups would only cost memory."""
    session = WorkerSession(None, None)
    group = types.Chat(
        id=5, title="g", photo=types.ChatPhotoEmpty(), participants_count=1, date=None, version=1
    )

    session.process_entities(types.contacts.ResolvedPeer(None, [group], []))

    assert session.take_entities() == ()


def test_a_key_is_told_when_it_is_not_the_stored_one() -> None:
    """Only a change is worth writing to the database."""
    session = WorkerSession(STORED, None)
    assert session.take_key(user_id=1) is None

    session.set_dc(2, "149.154.167.51", 443)
    changed = session.take_key(user_id=1)

    assert changed is not None
    assert (changed.dc_id, changed.auth_key) == (2, KEY)
    assert session.take_key(user_id=1) is None


def test_the_library_cannot_move_the_place_in_the_updates() -> None:
    """Only acknowledgement does: what the library saves is ignored."""
    session = WorkerSession(STORED, None)

    session.set_update_state(0, types.updates.State(99, 0, None, 0, 0))

    assert session.get_update_states() == ()


def test_names_with_nul_are_told_without_it() -> None:
    """What a contact calls themselves can be stored, whatever it is; a crowd comes in pieces."""
    session = WorkerSession(None, None)
    session.process_entities(people(*(user(i, 1, "B\0o" * 200) for i in range(1, 801))))

    first, second = session.take_entities(), session.take_entities()

    assert (len(first), len(second)) == (500, 300)
    assert first[0].name is not None
    assert first[0].name.startswith("BoBo")
    assert len(EntitiesSeen(entities=first).entities) == 500


def test_peers_in_memory_are_limited() -> None:
    """Of a crowd in big groups only those seen last are kept; all of them are told, to be stored."""
    session = WorkerSession(None, None)
    crowd = range(1, MOST_PEERS + 101)
    for first in range(0, len(crowd), 500):
        session.process_entities(people(*(user(each, each) for each in crowd[first : first + 500])))
    session.process_entities(people(user(101, 101)))
    session.process_entities(people(user(10**6, 1)))

    known = [each for each in (*crowd, 10**6) if session.get_entity_rows_by_id(each)]
    told: set[int] = set()
    while entities := session.take_entities():
        told |= {entity.peer_id for entity in entities}
    assert known == [101, *range(103, MOST_PEERS + 101), 10**6]
    assert told == {*crowd, 10**6}


def test_what_is_undecided_about_displaced_people_is_dropped() -> None:
    """Somebody who no longer fits into memory is reported when they are seen again."""
    session = WorkerSession(STORED, None)
    session.process_entities(people(user(8, 88)))
    (ann,) = session.take_entities()
    session.process_entities(people(*(user(100 + n, 1) for n in range(MOST_PEERS))))

    session.keep_changed([ann])

    told = {each.peer_id for portion in iter(session.take_entities, ()) for each in portion}
    assert len(told) == MOST_PEERS
    assert 8 not in told
