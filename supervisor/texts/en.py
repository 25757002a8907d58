"""Troubles and failures in English."""

from __future__ import annotations

from typing import Final

from session_worker.failures import Reason

_NOTHING = "Nothing to do."

FAILURES: Final = {
    Reason.BLOCKED_BY_CONTACT: (
        "The contact has blocked this number in Telegram.",
        f"The contact has blocked the number. {_NOTHING}",
    ),
    Reason.BLOCKED_BY_US: (
        "This contact is blocked on our side in Telegram.",
        "The number's owner has blocked the contact. Client: unblock the contact in Telegram, then send the message again.",
    ),
    Reason.CONTACT_DELETED: (
        "The contact has deleted the Telegram account.",
        f"The contact's account does not exist any more. {_NOTHING}",
    ),
    Reason.WRITING_FORBIDDEN: (
        "Telegram does not let this number write in this chat.",
        f"The number may not write in this chat. {_NOTHING}",
    ),
    Reason.PRIVACY: (
        "The contact's privacy settings do not let us write first.",
        f"The contact's privacy settings refuse the number. {_NOTHING}",
    ),
    Reason.PREMIUM_ONLY: (
        "The contact accepts first messages only from Telegram Premium users.",
        "Client: subscribe the number to Telegram Premium, or let the contact write first.",
    ),
    Reason.PAID_ONLY: (
        "The contact accepts messages from strangers only for Telegram Stars.",
        "The gateway never pays for messages. Client: let the contact write first.",
    ),
    Reason.CONTACT_UNKNOWN: (
        "Telegram does not know this contact any more.",
        "The stored Telegram id or access hash is not valid. Client: write by phone or user name.",
    ),
    Reason.CONTACT_NOT_FOUND: (
        "No Telegram account was found by this phone or user name.",
        f"There is no such account, or it cannot be found by its phone. {_NOTHING}",
    ),
    Reason.CHAT_LEFT_OUT: (
        "This chat is private: it is left out of Planfix, so nothing is sent to it.",
        "The number's `chats` leave this chat out. Client: change them with PUT /webhook if it is to be written to.",
    ),
    Reason.SPAM_LIMIT: (
        "For now, Telegram lets this number write only to people who wrote to it first.",
        "Telegram suspects spam (PEER_FLOOD). Client: ask @SpamBot how long this lasts; write to no strangers.",
    ),
    Reason.FROZEN: (
        "Telegram has frozen this number's account.",
        "Telegram has frozen the account. Client: appeal in Telegram, as its notice there says.",
    ),
    Reason.FLOOD: (
        "Telegram asks this number to wait; the message is sent later.",
        f"Telegram limits the rate; the message is sent when it allows. {_NOTHING}",
    ),
    Reason.FILE_REFUSED: (
        "Telegram refused a file of this message; everything else was sent.",
        "Telegram refused the file. Client: send it in another format.",
    ),
    Reason.VOICE_FORBIDDEN: (
        "The contact does not accept voice messages.",
        f"The contact's privacy settings refuse voice messages. {_NOTHING}",
    ),
    Reason.UPLOAD_BROKEN: (
        "A file could not be uploaded to Telegram; everything else was sent.",
        "Telegram did not accept the upload several times. Operator: send the message again.",
    ),
    Reason.FILE_TOO_LARGE: (
        "A file is too large; everything else was sent.",
        f"The file exceeds the size limit of the gateway. {_NOTHING}",
    ),
    Reason.FILE_EMPTY: (
        "A file is empty, which Telegram does not accept; everything else was sent.",
        f"Planfix returned an empty file. {_NOTHING}",
    ),
    Reason.LINK_FORBIDDEN: (
        "The link of a file leads to an address that is not allowed; everything else was sent.",
        "The link is neither public nor at the client's Planfix. Operator: check url_planfix.",
    ),
    Reason.LINK_GONE: (
        "A file could not be fetched from Planfix; everything else was sent.",
        "Planfix refused the link of the file. Client: attach the file again.",
    ),
    Reason.LINK_UNREACHABLE: (
        "A file could not be fetched from Planfix; everything else was sent.",
        "The server of the link did not answer properly. Operator: send the message again later.",
    ),
    Reason.STORAGE_FAILING: (
        "There is no room for a file of the message; it is sent later.",
        "The disk under DATA_DIR is full or fails. Operator: make room; the message is sent then.",
    ),
    Reason.TEXT_EMPTY: (
        "There is nothing to read in the message.",
        f"Telegram does not accept a blank text. {_NOTHING}",
    ),
    Reason.TEXT_TOO_LONG: (
        "The text is too long for Telegram.",
        "Telegram refused the length of a part. Operator: report it, because long texts should be split.",
    ),
    Reason.TEXT_REFUSED: (
        "Telegram refused the formatting of the text.",
        "Telegram refused the formatting. Operator: report it together with the message.",
    ),
    Reason.ALREADY_SENT: (
        "The message has been sent already.",
        f"Telegram knows the message from an earlier try. {_NOTHING}",
    ),
    Reason.TELEGRAM_FAILING: (
        "Telegram could not accept the message because of its own problems.",
        "Telegram failed again and again. Operator: send the message again later.",
    ),
    Reason.OFFLINE: (
        "The number is not connected to Telegram; the message is sent later.",
        "There is no connection to Telegram. Operator: if it lasts, check the server's network.",
    ),
    Reason.NEEDS_LOGIN: (
        "The number is not logged in to Telegram; the message is sent after the login.",
        "Client: log the number in again.",
    ),
    Reason.EXPIRED: (
        "The message expired before it could be sent.",
        f"The message waited until it had expired. {_NOTHING}",
    ),
    Reason.UNKNOWN: (
        "Telegram refused the message.",
        "Telegram refused for a reason that is not in our table. Operator: report the code.",
    ),
}
_AGAIN = "Nothing to do: it is started again automatically."
_LOG_IN = "Client: log the number in again."
_OPERATOR = "Operator: look at the gateway's log."

PARKED: Final = (
    "It is no longer started again automatically.",
    "Operator: look at the gateway's log, then restart the number or send PUT /webhook.",
)
TROUBLES: Final = {
    "telegram_unreachable": (
        "Telegram cannot be reached.",
        "Nothing to do if it passes; otherwise operator: check the server's network.",
    ),
    "no_session": ("The number is not logged in to Telegram.", "Client: log the number in."),
    "login_abandoned": ("The login was started but not finished.", "Client: log the number in."),
    "login_refused": (
        "Telegram refused the login.",
        "Client: try again later; if it is refused again, log in by QR code.",
    ),
    "session_revoked": ("The login was ended in Telegram's list of devices.", _LOG_IN),
    "session_duplicated": (
        "Telegram ended the login because it was used in two places at once.",
        "Client: close every other program that uses this session, then log the number in again.",
    ),
    "session_unknown": ("Telegram does not know this login.", _LOG_IN),
    "account_banned": (
        "Telegram has banned the account.",
        "Client: write to recover@telegram.org, then log the number in again.",
    ),
    "account_deactivated": (
        "The Telegram account was deleted.",
        "Client: register the number with Telegram again, then log it in.",
    ),
    "wrong_account": (
        "The login belongs to another Telegram account, so it was forgotten here.",
        "Operator: import this number's own session file, or client: log the number in.",
    ),
    "sending_limited": (
        "Telegram limits how much this account may send.",
        "Client: write to fewer strangers; @SpamBot tells how long it lasts.",
    ),
    "updates_missed": ("Telegram did not announce new messages.", _AGAIN),
    "telegram_rejected": ("Telegram refused the connection.", _OPERATOR),
    "clock_wrong": (
        "The clock of the server is wrong.",
        "Operator: set the server's clock (NTP); until then Telegram's messages are ignored.",
    ),
    "telegram_failing": (
        "Telegram has problems of its own.",
        "Nothing to do if it passes; otherwise operator: look at the gateway's log.",
    ),
    "layer_outdated": (
        "Telegram sent something that this version of the gateway cannot read; everything else goes on.",
        "Operator: update the gateway; the number's receipts say what is missing.",
    ),
    "folder_missing": (
        "The account has no folder of this name, which `chats` uses to say what is private.",
        "Client: make the folder in Telegram again, or send other `chats` with PUT /webhook. "
        "With the mode `except` nothing goes to Planfix until then.",
    ),
    "proxy_unreachable": (
        "The number's proxy does not answer.",
        "Client or operator (the one who set the proxy): check that it runs at this host and port, "
        "or send another with PUT /webhook.",
    ),
    "proxy_refused": (
        "The number's proxy answers, but does not lead to Telegram.",
        "Client or operator (the one who set the proxy): let it connect to Telegram, "
        "or send another with PUT /webhook.",
    ),
    "proxy_unauthorized": (
        "The number's proxy wants another user name, password or secret.",
        "Client or operator (the one who set the proxy): send the right ones with PUT /webhook.",
    ),
    "proxy_forbidden": (
        "The number's proxy is not used: it lies at a private address.",
        "Client: send a proxy at a public address with PUT /webhook. "
        "Operator: if this proxy is the right one, send it with the admin key.",
    ),
    "worker_crashed": ("The number's process ended with an error.", _AGAIN),
    "worker_killed": ("The number's process was killed.", _AGAIN),
    "worker_unresponsive": ("The number's process did not answer, so it was ended.", _AGAIN),
    "boot_failed": ("The number's process could not start.", _OPERATOR),
    "bounds_broken": (
        "The number's process sent something that no intact process sends, so it was ended.",
        "Operator: look at the gateway's log; the process may have been broken into.",
    ),
    "data_refused": (
        "The database refused data of the number's process.",
        "Operator: look at the gateway's log, then restart the number.",
    ),
    "fork_failed": ("No process could be started for the number.", _OPERATOR),
    "forkserver_lost": ("All processes ended with the one that starts them.", _AGAIN),
    "lease_over": ("The gateway was frozen, so the number's process ended itself.", _AGAIN),
    "planfix_unauthorized": (
        "Planfix does not accept the number's Planfix token; messages wait.",
        "Client: copy the token from Planfix again, and send it with PUT /webhook.",
    ),
    "planfix_forbidden": (
        "Planfix is not called: the name in url_planfix leads to a private address; messages wait.",
        "Operator: if Planfix is in your own network, set ALLOW_PRIVATE_PLANFIX=1; "
        "otherwise client: send the right url_planfix with PUT /webhook.",
    ),
    "planfix_unavailable": (
        "Planfix cannot be reached; messages wait.",
        "Nothing to do if it passes; otherwise client: check url_planfix.",
    ),
    "storage_failing": (
        "The disk under DATA_DIR is full or fails.",
        "Operator: make room there; the number starts then.",
    ),
    "store_failed": ("The database failed.", "Operator: check the database."),
}
DELIVERIES: Final = {
    "first_contact_budget": (
        "The number has written to as many new people as is safe, so this message waits.",
        "Nothing to do: it will be sent automatically; `governor` in PUT /webhook changes the budget.",
    ),
    "answers_only": (
        "Telegram suspects the number of sending spam, so messages to new people wait.",
        "Nothing to do: they will be sent automatically when that has passed.",
    ),
    "planfix_answer_lost": (
        "The connection to Planfix broke before its answer came, so the message may be there.",
        "Nothing to do: it is sent again automatically, and Planfix may show it twice.",
    ),
    "planfix_rejected": (
        "Planfix refused the message.",
        "Operator: look at the detail of the failure, correct the cause, then send it again.",
    ),
    "telegram_file_unreachable": (
        "A file of the message could not be fetched from Telegram.",
        "Nothing to do if it passes; otherwise operator: look at the gateway's log.",
    ),
    "internal_error": (
        "The gateway failed on this message.",
        "Operator: look at the gateway's log, report the error, then send the message again.",
    ),
}
HELD: Final = {
    "first_contact_budget": (
        "⏳ Waiting: today this number has written to as many new people as is safe. "
        "The message will be sent automatically, probably at {moment} UTC."
    ),
    "answers_only": (
        "⏳ Waiting: Telegram lets this number only answer for now. "
        "The message will be sent automatically, probably at {moment} UTC."
    ),
}
