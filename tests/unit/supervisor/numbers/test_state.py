"""How the two axes of a number's health are folded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_worker.protocol.contract import SessionState
from supervisor.numbers.state import ProcessState, State, Status, is_settled, shown_state, status_of

PROCESSES = st.sampled_from(ProcessState)
SESSIONS = st.none() | st.sampled_from(SessionState)


@given(PROCESSES, SESSIONS)
def test_online_needs_both(process: ProcessState, session: SessionState | None) -> None:
    """Only a running process with a session that hears is online."""
    is_online = status_of(shown_state(process, session)) is Status.ONLINE

    assert is_online == (
        process is ProcessState.RUNNING and session in {SessionState.ONLINE, SessionState.LIMITED}
    )


@given(PROCESSES, SESSIONS)
def test_without_a_running_process_the_session_is_not_believed(
    process: ProcessState, session: SessionState | None
) -> None:
    """What a session said before its process ended is shown only where a login is missing."""
    if process not in {ProcessState.RUNNING, ProcessState.STALLED, ProcessState.RESTING}:
        assert shown_state(process, session) == State(process)


@given(SESSIONS)
def test_running_number_shows_its_session(session: SessionState | None) -> None:
    """Each session state has a state of the same name; connecting is still starting."""
    expected = State.STARTING if session in {None, SessionState.CONNECTING} else State(session)

    assert shown_state(ProcessState.RUNNING, session) is expected


@given(SESSIONS)
def test_stalled_process_says_nothing_of_its_session(session: SessionState | None) -> None:
    """A process that does not answer is stalled, unless it is still starting."""
    is_starting = shown_state(ProcessState.RUNNING, session) is State.STARTING

    expected = State.STARTING if is_starting else State.STALLED
    assert shown_state(ProcessState.STALLED, session) is expected


@given(SESSIONS)
def test_resting_number_says_what_it_waits_for(session: SessionState | None) -> None:
    """Who rests waits for a login, unless the account is banned."""
    banned = session is SessionState.BANNED

    assert shown_state(ProcessState.RESTING, session) is (
        State.BANNED if banned else State.NEEDS_LOGIN
    )


@given(PROCESSES, SESSIONS)
def test_only_starting_is_unsettled(process: ProcessState, session: SessionState | None) -> None:
    """A caller waits while a worker may still say more, never longer."""
    state = shown_state(process, session)

    assert is_settled(state) == (state not in {State.STARTING, State.BACKING_OFF})
