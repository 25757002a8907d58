"""The texts of the TeamFlame bot; every language has all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from teamflame.store.choices import Kind


@dataclass(frozen=True, slots=True)
class BotTexts:
    """What the bot says; names in braces are filled in."""

    commands: Mapping[str, str]
    menu: str

    welcome: str
    signed_in: str
    chosen_board: str
    sign_in: str
    open_board: str
    other_board: str
    my_tasks: str
    settings: str
    sign_out: str
    back: str
    more: str

    ask_email: str
    ask_password: str
    email_invalid: str
    credentials_invalid: str
    password_visible: str
    signed_out: str
    sign_in_again: str
    sign_in_first: str

    spaces: str
    projects: str
    boards: str
    nothing_here: str

    column: str
    board_is_empty: str
    and_more: str
    ask_title: str
    created: str
    no_tasks: str
    own_tasks: str
    notifications: str
    kinds: Mapping[Kind, str]

    not_yours: str
    button_is_old: str
    unknown: str
    help: str
    unavailable: str
    limited: str
    forbidden: str
    not_found: str
    refused: str
    may_exist: str
    cancelled: str

    open_card: str
    comment: str
    move_to: str
    ask_comment: str
    commented: str
    choose_column: str
    moved: str
    due: str

    event_created: str
    event_assigned: str
    event_moved: str
    event_commented: str
    event_due_soon: str
    event_overdue: str
    by: str
