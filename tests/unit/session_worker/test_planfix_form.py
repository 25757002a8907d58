"""The forms that Planfix gets, field by field."""

from __future__ import annotations

from session_worker.contract import PlanfixAccount
from session_worker.message import Contact, PlanfixStatus
from session_worker.planfix_form import Forms, Line, full_name

ACCOUNT = PlanfixAccount(url="https://p", token="t", provider_id="telegram", user_email="a@b")
FORMS = Forms(ACCOUNT, "38050")
HEAD = [("providerId", "telegram"), ("planfix_token", "t")]


def test_attachments_are_pairs_in_order() -> None:
    """Each file's name stands beside its link, as Planfix documents it."""
    line = Line(Contact(peer_id=7, first_name="A"), "x", files=(("a", "u1"), ("b", "u2")))

    assert FORMS.new_message(line)[-4:] == [
        ("attachments[name]", "a"),
        ("attachments[url]", "u1"),
        ("attachments[name]", "b"),
        ("attachments[url]", "u2"),
    ]


def test_only_an_echo_names_an_employee() -> None:
    """What the contact wrote carries neither mark nor e-mail of ours."""
    contact = Contact(peer_id=7, first_name="A")

    own = dict(FORMS.new_message(Line(contact, "x", is_echo=True)))
    theirs = dict(FORMS.new_message(Line(contact, "x")))

    assert (own["isEcho"], own["userEmail"]) == ("true", "a@b")
    assert not {"isEcho", "userEmail", "title", "contactIco", "contactPhone"} & set(theirs)


def test_a_contact_is_never_nameless() -> None:
    """Planfix insists on a name: the best there is stands in."""
    names = [
        full_name(Contact(peer_id=7, first_name="A", last_name="B")),
        full_name(Contact(peer_id=7, username="anna")),
        full_name(Contact(peer_id=7, phone="38044")),
        full_name(Contact(peer_id=7)),
    ]

    assert names == ["A B", "@anna", "38044", "Telegram 7"]
    card = dict(FORMS.update_contact(Contact(peer_id=7, last_name="B"), ""))
    assert (card["contactName"], "contactLastName" in card) == ("B", False)


def test_the_other_commands_say_what_they_need() -> None:
    """getTask and messageStatus have just the documented fields."""
    assert FORMS.get_task(7) == [("cmd", "getTask"), *HEAD, ("chatId", "38050_7")]
    assert FORMS.message_status("41", PlanfixStatus.READ, "") == [
        ("cmd", "messageStatus"),
        *HEAD,
        ("messageId", "41"),
        ("messageStatus", "read"),
    ]
