"""Files lie where no other message looks for its own."""

from __future__ import annotations

from pathlib import Path

from session_worker.protocol.files import incoming_file, outgoing_folder, row_of
from session_worker.protocol.outgoing import Outgoing, Part
from tests.unit.supervisor.rows import incoming, picture

SPOOL = Path("spool")


def test_message_that_gets_a_used_row_has_other_files() -> None:
    """A restored database gives rows again; only the same message finds the files of a row."""
    message = incoming(5, files=(picture(5),))
    others = [
        incoming(6, files=(picture(6),)),
        incoming(5, files=(picture(5),), edit_date=1_700_000_100),
    ]
    path = incoming_file(SPOOL, 7, message, 0)
    parts = [(Part(text="a", random_ids=(number,)),) for number in (1, 2)]
    first, second = (Outgoing(peer_id=1, planfix_id="1", parts=each) for each in parts)

    assert path == incoming_file(SPOOL, 7, message.model_copy(), 0)
    assert path not in [incoming_file(SPOOL, 7, other, 0) for other in others]
    assert outgoing_folder(SPOOL, 7, first) == outgoing_folder(SPOOL, 7, first.model_copy())
    assert outgoing_folder(SPOOL, 7, first) != outgoing_folder(SPOOL, 7, second)
    assert {row_of(path.parent), row_of(outgoing_folder(SPOOL, 7, first))} == {7}


def test_what_a_worker_puts_beside_is_no_row() -> None:
    """A worker may write what it likes into its folder, also names that look like numbers."""
    names = ("x", "7-x!", "9" * 4000, "²", "-7", "")

    assert {row_of(SPOOL / name) for name in names} == {0}
