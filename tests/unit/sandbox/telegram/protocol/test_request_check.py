"""Requests hold objects of the types their definition names, at any depth."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import functions, types

from sandbox.telegram.protocol.request_check import is_well_typed

PEER = types.InputPeerSelf()
FILE = types.InputFile(1, 1, "a", "")


@pytest.mark.parametrize(
    "request_",
    [
        functions.messages.SendMessageRequest(PEER, "hi"),
        functions.messages.SendMessageRequest(
            PEER,
            "hi",
            reply_to=types.InputReplyToMessage(1),
            entities=[types.MessageEntityBold(0, 1)],
        ),
        functions.messages.SendMediaRequest(PEER, types.InputMediaUploadedPhoto(FILE), ""),
        functions.updates.GetStateRequest(),
    ],
)
def test_good_request_passes(request_: Any) -> None:
    """What a real client sends is well typed."""
    assert is_well_typed(request_)


@pytest.mark.parametrize(
    "request_",
    [
        functions.messages.SendMessageRequest(types.PeerUser(1), "hi"),
        functions.messages.SendMessageRequest([PEER], "hi", entities=[PEER]),
        functions.messages.SendMessageRequest(True, "hi"),
        functions.messages.SendMediaRequest(PEER, types.InputMediaUploadedPhoto(PEER), ""),
        functions.account.UpdatePasswordSettingsRequest(types.InputCheckPasswordEmpty(), PEER),
        functions.users.GetUsersRequest([functions.updates.GetStateRequest()]),
        functions.messages.UploadMediaRequest(
            PEER,
            types.InputMediaPoll(
                types.Poll(1, functions.messages.SummarizeTextRequest(PEER, 1), [], hash=0)
            ),
        ),
    ],
)
def test_object_of_another_type_is_noticed(request_: Any) -> None:
    """A peer that is none, a list of the wrong things, a wrong object deep inside."""
    assert not is_well_typed(request_)
