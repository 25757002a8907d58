"""The forms that Planfix gets, field by field."""

from __future__ import annotations

import pytest

from session_worker.planfix.client import Forms, PlanfixMessage, full_name
from session_worker.protocol.contract import PlanfixAccount
from session_worker.protocol.messages import Contact, PlanfixStatus

ACCOUNT = PlanfixAccount(url="https://p", token="t", provider_id="telegram", user_email="a@b")
FORMS = Forms(ACCOUNT, "38050")
HEAD = [("providerId", "telegram"), ("planfix_token", "t")]


def test_attachments_are_pairs_in_order() -> None:
    """Each file's name stands beside its link, as Planfix documents it."""
    line = PlanfixMessage(Contact(peer_id=7, first_name="A"), "x", files=(("a", "u1"), ("b", "u2")))

    assert FORMS.new_message(line)[-4:] == [
        ("attachments[name]", "a"),
        ("attachments[url]", "u1"),
        ("attachments[name]", "b"),
        ("attachments[url]", "u2"),
    ]


def test_only_an_echo_names_an_employee() -> None:
    """What the contact wrote carries neither mark nor e-mail of ours."""
    contact = Contact(peer_id=7, first_name="A")

    own = dict(FORMS.new_message(PlanfixMessage(contact, "x", is_echo=True)))
    theirs = dict(FORMS.new_message(PlanfixMessage(contact, "x")))

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


@pytest.mark.parametrize("blank", [" ", "\n\t", "\u200b\u2060", "\u3164", "\u2800 \u115f"])
def test_a_name_without_a_sign_is_none(blank: str) -> None:
    """Who is called by blanks only is called by what else there is."""
    contact = Contact(peer_id=7, first_name=blank, last_name=blank, username="anna")
    card = FORMS.update_contact(contact, "")

    assert full_name(contact) == "@anna"
    assert [value for name, value in card if name.startswith("contactName")] == ["@anna"]
    assert "contactLastName" not in dict(card)


def test_a_new_contact_is_introduced_with_what_there_is() -> None:
    """The link, the bio, an address within it; nothing of it for somebody who is known."""
    contact = Contact(peer_id=7, first_name="A", username="anna")

    def told(bio: str | None, of: Contact = contact) -> tuple[str | None, str | None]:
        form = dict(FORMS.new_message(PlanfixMessage(of, "x", bio=bio)))
        return form.get("contactEmail"), form.get("contactData")

    assert told("Bees") == (None, "https://t.me/anna\nBees")
    assert told("") == (None, "https://t.me/anna")
    assert told(None) == (None, None)
    assert told("", Contact(peer_id=7)) == (None, None)
    assert told("mail: a.b+c@d-e.com.ua!", Contact(peer_id=7))[0] == "a.b+c@d-e.com.ua"


@pytest.mark.parametrize(
    "bio", ["@anna", "a@b", "a@@b.com", "anna@example.", "a.@b.com", "a" * 300 + "@", "a." * 150]
)
def test_what_is_no_address_is_none(bio: str) -> None:
    """Planfix would refuse a contact with a broken address."""
    assert "contactEmail" not in dict(
        FORMS.new_message(PlanfixMessage(Contact(peer_id=7), "x", bio=bio))
    )


def test_the_other_commands_say_what_they_need() -> None:
    """getTask and messageStatus have just the documented fields."""
    assert FORMS.get_task(7) == [("cmd", "getTask"), *HEAD, ("chatId", "38050_7")]
    assert FORMS.message_status("41", PlanfixStatus.READ, "") == [
        ("cmd", "messageStatus"),
        *HEAD,
        ("messageId", "41"),
        ("messageStatus", "read"),
    ]
