"""Troubles and failures in English."""

from __future__ import annotations

from typing import Final

from session_worker.failures import Reason, Texts

_NOTHING = "Nothing to do."

TEXTS: Final = {
    Reason.BLOCKED_BY_CONTACT: Texts(
        "The contact has blocked this number in Telegram.",
        f"The contact has blocked the number. {_NOTHING}",
    ),
    Reason.BLOCKED_BY_US: Texts(
        "This contact is blocked on our side in Telegram.",
        "The number's owner has blocked the contact. Client: unblock it in Telegram, send again.",
    ),
    Reason.CONTACT_DELETED: Texts(
        "The contact has deleted the Telegram account.",
        f"The contact's account does not exist any more. {_NOTHING}",
    ),
    Reason.WRITING_FORBIDDEN: Texts(
        "Telegram does not let this number write in this chat.",
        f"The number may not write in this chat. {_NOTHING}",
    ),
    Reason.PRIVACY: Texts(
        "The contact's privacy settings do not let us write first.",
        f"The contact's privacy settings refuse the number. {_NOTHING}",
    ),
    Reason.PREMIUM_ONLY: Texts(
        "The contact takes first messages only from Telegram Premium users.",
        "Client: subscribe the number to Telegram Premium, or let the contact write first.",
    ),
    Reason.PAID_ONLY: Texts(
        "The contact takes messages from strangers only for Telegram Stars.",
        "The gateway never pays for messages. Client: let the contact write first.",
    ),
    Reason.CONTACT_UNKNOWN: Texts(
        "Telegram does not know this contact any more.",
        "The stored Telegram id or access hash is not valid. Client: write by phone or user name.",
    ),
    Reason.CONTACT_NOT_FOUND: Texts(
        "Nobody was found in Telegram by this phone or user name.",
        f"There is no such account, or it can't be found by its phone. {_NOTHING}",
    ),
    Reason.SPAM_LIMIT: Texts(
        "Telegram lets this number write only to people who wrote first for now.",
        "Telegram suspects spam (PEER_FLOOD). Client: ask @SpamBot how long; write to no strangers.",
    ),
    Reason.FLOOD: Texts(
        "Telegram asks this number to wait; the message is sent later.",
        f"Telegram limits the rate; the message is sent when it allows. {_NOTHING}",
    ),
    Reason.FILE_REFUSED: Texts(
        "Telegram refused a file of this message; everything else was sent.",
        "Telegram refused the file. Client: send it in another format.",
    ),
    Reason.VOICE_FORBIDDEN: Texts(
        "The contact does not take voice messages.",
        f"The contact's privacy settings refuse voice messages. {_NOTHING}",
    ),
    Reason.UPLOAD_BROKEN: Texts(
        "A file could not be brought to Telegram; everything else was sent.",
        "Telegram did not accept the upload several times. Operator: send the message again.",
    ),
    Reason.FILE_TOO_LARGE: Texts(
        "A file is too large; everything else was sent.",
        f"The file exceeds the size limit of the gateway. {_NOTHING}",
    ),
    Reason.FILE_EMPTY: Texts(
        "A file is empty, which Telegram does not take; everything else was sent.",
        f"Planfix gave a file of no bytes. {_NOTHING}",
    ),
    Reason.LINK_FORBIDDEN: Texts(
        "The link of a file leads where it may not; everything else was sent.",
        "The link is neither public nor at the client's Planfix. Operator: check url_planfix.",
    ),
    Reason.LINK_GONE: Texts(
        "A file could not be fetched from Planfix; everything else was sent.",
        "Planfix refused the link of the file. Client: attach the file again.",
    ),
    Reason.LINK_UNREACHABLE: Texts(
        "A file could not be fetched from Planfix; everything else was sent.",
        "The server of the link did not answer properly. Operator: send the message again later.",
    ),
    Reason.TEXT_EMPTY: Texts(
        "There is nothing to read in the message.",
        f"Telegram takes no text that is blank. {_NOTHING}",
    ),
    Reason.TEXT_TOO_LONG: Texts(
        "The text is too long for Telegram.",
        "Telegram refused the length of a part. Operator: report it, texts are to be split.",
    ),
    Reason.TEXT_REFUSED: Texts(
        "Telegram refused the formatting of the text.",
        "Telegram refused the marks of a text. Operator: report it with the message.",
    ),
    Reason.ALREADY_SENT: Texts(
        "The message has been sent already.",
        f"Telegram knows the message from an earlier try. {_NOTHING}",
    ),
    Reason.TELEGRAM_FAILING: Texts(
        "Telegram could not take the message because of trouble of its own.",
        "Telegram failed again and again. Operator: send the message again later.",
    ),
    Reason.OFFLINE: Texts(
        "The number is not connected to Telegram; the message is sent later.",
        "There is no line to Telegram. Operator: check the server's network if it lasts.",
    ),
    Reason.NEEDS_LOGIN: Texts(
        "The number is not logged in to Telegram; the message is sent after the login.",
        "Client: log the number in again.",
    ),
    Reason.UNKNOWN: Texts(
        "Telegram refused the message.",
        "Telegram refused for a reason that is not in our table. Operator: report the code.",
    ),
}
