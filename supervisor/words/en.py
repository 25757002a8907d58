"""The troubles of a number in English."""

from __future__ import annotations

from typing import Final

_AGAIN = "Nothing to do: it is started again by itself."
_LOG_IN = "Client: log the number in again."
_OPERATOR = "Operator: look at the gateway's log."

PARKED: Final = (
    "It is not started again by itself any more.",
    "Operator: look at the gateway's log, then restart the number or send PUT /webhook.",
)
WORDS: Final = {
    "telegram_unreachable": (
        "Telegram can not be reached.",
        "Nothing to do if it passes; otherwise operator: check the server's network.",
    ),
    "no_session": ("The number is not logged in to Telegram.", "Client: log the number in."),
    "login_abandoned": ("The login was begun, but not finished.", "Client: log the number in."),
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
        "Client: register the number with Telegram anew, then log it in.",
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
        "Telegram has trouble of its own.",
        "Nothing to do if it passes; otherwise operator: look at the gateway's log.",
    ),
    "layer_outdated": (
        "Telegram sent something that this version of the gateway can not read; the rest goes on.",
        "Operator: update the gateway; the number's receipts say what is missing.",
    ),
    "proxy_unreachable": (
        "The number's proxy does not answer.",
        "Client or operator, whoever set the proxy: check that it runs at this host and port, "
        "or send another with PUT /webhook.",
    ),
    "proxy_refused": (
        "The number's proxy answers, but does not lead to Telegram.",
        "Client or operator, whoever set the proxy: let it connect to Telegram, "
        "or send another with PUT /webhook.",
    ),
    "proxy_unauthorized": (
        "The number's proxy wants another user name, password or secret.",
        "Client or operator, whoever set the proxy: send the right ones with PUT /webhook.",
    ),
    "proxy_forbidden": (
        "The number's proxy is not used: it lies at a private address.",
        "Client: send a proxy at a public address with PUT /webhook. "
        "Operator: if this one is meant, send it with the admin key.",
    ),
    "worker_crashed": ("The number's process ended with an error.", _AGAIN),
    "worker_killed": ("The number's process was killed.", _AGAIN),
    "worker_unresponsive": ("The number's process did not answer, so it was ended.", _AGAIN),
    "boot_failed": ("The number's process could not begin.", _OPERATOR),
    "bounds_broken": (
        "The number's process said what no sound one says, so it was ended.",
        "Operator: look at the gateway's log; the process may have been broken into.",
    ),
    "data_refused": (
        "The database does not take what the number's process wants to have written.",
        "Operator: look at the gateway's log, then restart the number.",
    ),
    "fork_failed": ("No process could be started for the number.", _OPERATOR),
    "forkserver_lost": ("All processes ended with the one that starts them.", _AGAIN),
    "lease_over": ("The gateway stood still, so the number's process ended itself.", _AGAIN),
    "planfix_unauthorized": (
        "Planfix does not take the number's Planfix token; messages wait.",
        "Client: copy the token from Planfix anew, send it with PUT /webhook.",
    ),
    "planfix_forbidden": (
        "Planfix is not called: the name in url_planfix leads to a private address; messages wait.",
        "Operator: if Planfix is in your own network, set ALLOW_PRIVATE_PLANFIX=1; "
        "otherwise client: send the right url_planfix with PUT /webhook.",
    ),
    "planfix_unavailable": (
        "Planfix can not be reached; messages wait.",
        "Nothing to do if it passes; otherwise client: check url_planfix.",
    ),
    "store_failed": ("The database failed.", "Operator: check the database."),
}
