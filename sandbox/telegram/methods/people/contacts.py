"""The address book of an account, and the ways to find a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts.accounts import Contact, bare_phone
from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.peer_lookup import find_user
from sandbox.telegram.errors import RpcError
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.protocol.client_session import Session
    from sandbox.telegram.rpc import Call
    from sandbox.telegram.services import Services

_MOST_FOUND = 50
_SHORTEST_QUERY = 3


@method(functions.contacts.ResolveUsernameRequest)
def resolve_username(call: Call, request: Any) -> Any:
    found = call.services.accounts.find_by_username(request.username)
    if found is None:
        raise RpcError("USERNAME_NOT_OCCUPIED")
    return _resolved(call, found)


@method(functions.contacts.ResolvePhoneRequest)
def resolve_phone(call: Call, request: Any) -> Any:
    found = _findable(call, request.phone)
    if found is None:
        raise RpcError("PHONE_NOT_OCCUPIED")
    return _resolved(call, found)


@method(functions.contacts.ImportContactsRequest)
def import_contacts(call: Call, request: Any) -> Any:
    imported, found = [], []
    for entry in request.contacts:
        subject = _findable(call, entry.phone)
        if subject is None:
            continue
        _remember(call.account, subject, entry)
        imported.append(types.ImportedContact(subject.id, entry.client_id))
        found.append(tl_views.user(call.viewer, subject))
    return types.contacts.ImportedContacts(imported, [], [], found)


@method(functions.contacts.AddContactRequest)
def add_contact(call: Call, request: Any) -> Any:
    subject = find_user(call.services.accounts, call.viewer, request.id)
    _remember(call.account, subject, request)
    return _announced(call, subject)


@method(functions.contacts.DeleteContactsRequest)
def delete_contacts(call: Call, request: Any) -> Any:
    subjects = [find_user(call.services.accounts, call.viewer, user) for user in request.id]
    for subject in subjects:
        call.account.contacts.pop(subject.id, None)
    return _announced(call, *subjects)


@method(functions.contacts.GetContactsRequest)
def get_contacts(call: Call, _request: Any) -> Any:
    accounts, known = call.services.accounts, call.account.contacts
    shown = [types.Contact(i, call.account.id in accounts[i].contacts) for i in known]
    return types.contacts.Contacts(shown, 0, tl_views.users(call.viewer, accounts, known))


@method(functions.contacts.SearchRequest)
def search(call: Call, request: Any) -> Any:
    wanted = request.q.lower().lstrip("@")
    if len(wanted) < _SHORTEST_QUERY:
        raise RpcError("QUERY_TOO_SHORT")
    found = [a for a in call.services.accounts if wanted in _searched(a)]
    found = found[: min(request.limit, _MOST_FOUND)]
    mine = [types.PeerUser(a.id) for a in found if a.id in call.account.contacts]
    others = [types.PeerUser(a.id) for a in found if a.id not in call.account.contacts]
    return types.contacts.Found(mine, others, [], [tl_views.user(call.viewer, a) for a in found])


@method(functions.contacts.BlockRequest)
def block(call: Call, request: Any) -> bool:
    subject = find_user(call.services.accounts, call.viewer, request.id)
    call.services.bots.block(call.account, subject, is_blocked=True)
    return True


@method(functions.contacts.UnblockRequest)
def unblock(call: Call, request: Any) -> bool:
    subject = find_user(call.services.accounts, call.viewer, request.id)
    call.services.bots.block(call.account, subject, is_blocked=False)
    return True


def _findable(call: Call, phone: str) -> Account | None:
    """Find a user by phone number, if the user allows that; one's own number is always found."""
    found = call.services.accounts.find_by_phone(phone)
    if found is None or found.bot:
        return None
    return found if found.phone_visible or found is call.account else None


def _remember(owner: Account, subject: Account, entry: Any) -> None:
    owner.contacts[subject.id] = Contact(entry.first_name, entry.last_name, bare_phone(entry.phone))


def _resolved(call: Call, found: Account) -> Any:
    peer = types.PeerUser(found.id)
    return types.contacts.ResolvedPeer(peer, [], [tl_views.user(call.viewer, found)])


def _announced(call: Call, *subjects: Account) -> Any:
    """Push the change of the address book to the other sessions, and answer with it."""
    for subject in subjects:
        announce(call.services, call.account, subject, origin=call.session)
    return _peer_settings(call, *subjects)


def announce(
    services: Services, owner: Account, subject: Account, *, origin: Session | None = None
) -> None:
    update = types.UpdatePeerSettings(types.PeerUser(subject.id), types.PeerSettings())
    services.update_push.push(owner, update, [subject.id], origin=origin)


def _peer_settings(call: Call, *subjects: Account) -> Any:
    shown = [
        types.UpdatePeerSettings(types.PeerUser(subject.id), types.PeerSettings())
        for subject in subjects
    ]
    ids = [subject.id for subject in subjects]
    return tl_views.updates(call.viewer, call.services.accounts, shown, ids)


def _searched(account: Account) -> str:
    return f"{account.username or ''} {account.first_name} {account.last_name}".lower()
