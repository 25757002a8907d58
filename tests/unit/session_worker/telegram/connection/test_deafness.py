"""Deafness is concluded from missed updates alone."""

from __future__ import annotations

from session_worker.telegram.connection.polling import DeafnessCheck


def test_silence_is_not_deafness() -> None:
    """A line on which nothing happens is a good line."""
    hearing = DeafnessCheck()

    assert not any(hearing.is_deaf_after(pushes=0, missed=False) for _ in range(100))


def test_one_missed_update_may_have_been_late() -> None:
    """A single catch proves nothing yet."""
    assert not DeafnessCheck().is_deaf_after(pushes=0, missed=True)


def test_missing_twice_with_nothing_heard_is_deaf() -> None:
    """Quiet polls in between do not make the line hear."""
    hearing = DeafnessCheck()
    hearing.is_deaf_after(pushes=0, missed=True)
    hearing.is_deaf_after(pushes=0, missed=False)

    assert hearing.is_deaf_after(pushes=0, missed=True)


def test_a_push_proves_that_the_line_hears() -> None:
    """Whatever was missed before a push counts no longer."""
    hearing = DeafnessCheck()
    hearing.is_deaf_after(pushes=0, missed=True)

    assert not hearing.is_deaf_after(pushes=1, missed=True)
