"""The session that logs a number in, after which another worker takes over."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from session_worker.protocol.contract import SessionChanged, SessionState, Trouble, TroubleCode
from session_worker.protocol.login import (
    FINAL_FAILURES,
    EnterCode,
    EnterPassword,
    LoginByCode,
    LoginByQr,
    LoginByToken,
    LoginFailed,
    LoginFailure,
    LoginMoved,
    LoginStage,
    WatchQr,
)
from session_worker.session import SessionEnded, SessionGained
from session_worker.telegram.errors import (
    FloodWait,
    TelegramError,
    TemporarilyFailed,
    Unreachable,
)
from session_worker.telegram.login.login import Login
from session_worker.telegram.login.outcome import (
    CodeSent,
    LoggedIn,
    PasswordWanted,
    QrCode,
    ending_of,
    failure_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from session_worker.protocol.contract import Assignment, Command
    from session_worker.session import Outbox, WritePermit
    from session_worker.telegram.connection.connection import ConnectionTiming

    Outcome = CodeSent | PasswordWanted | LoggedIn
    LoginStep = LoginByCode | LoginByQr | LoginByToken | EnterCode | EnterPassword | WatchQr
    Step = LoginStep | PasswordWanted | LoggedIn | TelegramError

PATIENCE = 60.0  # seconds to wait for the first command
CLOSE_LIMIT = 2.5  # seconds to cancel the code and disconnect; a worker that stops has little more
RESCAN_PAUSE = 1.0  # seconds between QR codes while Telegram is unreachable

logger = logging.getLogger(__name__)


class SignIn:
    """Takes one login from its first step to its end, one step at a time."""

    last_heard: float | None = None

    def __init__(
        self,
        assignment: Assignment,
        outbox: Outbox,
        lease: WritePermit,
        timing: ConnectionTiming | None = None,
    ) -> None:
        self._outbox = outbox
        self._login = Login(assignment, lease, timing)
        self._steps: asyncio.Queue[Step] = asyncio.Queue()
        self._stage: LoginStage | None = None
        self._time_limit = self._later_time_limit = self._unwatched_time_limit = PATIENCE
        self._asked_by: int | None = None
        self._scanning: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def queue_depth(self) -> int:
        return self._steps.qsize()

    async def run(self) -> None:
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._serve(), name="login"),
            asyncio.create_task(self._stopping.wait(), name="stop"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._clean_up(tasks)
        if not tasks[0].cancelled():
            tasks[0].result()

    async def stop(self) -> None:
        self._stopping.set()

    async def handle(self, command: Command) -> None:
        match command:
            case (
                LoginByCode()
                | LoginByQr()
                | LoginByToken()
                | EnterCode()
                | EnterPassword()
                | WatchQr()
            ):
                self._steps.put_nowait(command)
            case _:
                logger.warning("the session has no use for the command %s", command.kind)

    async def _serve(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._time_limit):
                    step = await self._steps.get()
            except TimeoutError as exc:
                trouble = Trouble(code=TroubleCode.LOGIN_ABANDONED)
                raise SessionEnded(SessionState.NEEDS_LOGIN, trouble) from exc
            await self._handle_step(step)

    async def _handle_step(self, step: Step) -> None:
        match step:
            case LoginByCode() | LoginByQr() | LoginByToken():
                await self._start(step)
            case EnterCode(code=code) if self._stage is LoginStage.CODE_SENT:
                await self._try(step.request_id, self._login.enter_code(code))
            case EnterPassword(password=password) if self._stage is LoginStage.PASSWORD_WANTED:
                await self._try(step.request_id, self._login.enter_password(password))
            case EnterCode() | EnterPassword():
                self._outbox.put(
                    LoginFailed(request_id=step.request_id, failure=LoginFailure.OUT_OF_TURN)
                )
            case WatchQr():
                logger.debug("somebody is looking at the QR code")
            case TelegramError():
                self._handle_failed_scan(step)
            case PasswordWanted() | LoggedIn():
                self._time_limit = self._later_time_limit
                await self._advance(step)

    async def _start(self, step: LoginByCode | LoginByQr | LoginByToken) -> None:
        if not isinstance(step, LoginByToken):
            self._time_limit = self._later_time_limit = step.patience
        match step:
            case LoginByToken(token=token):
                await self._try(step.request_id, self._login.enter_token(token))
            case LoginByCode():
                await self._try(step.request_id, self._login.send_code())
            case LoginByQr():
                self._unwatched_time_limit = step.patience_unwatched
                self._asked_by = step.request_id
                self._scan(pause=0.0)

    async def _try(self, request_id: int, step: Awaitable[Outcome]) -> None:
        try:
            outcome = await step
        except TelegramError as error:
            self._report_failure(request_id, error)
        else:
            self._asked_by = request_id
            await self._advance(outcome)

    async def _advance(self, outcome: Outcome) -> None:
        match outcome:
            case CodeSent():
                self._enter_stage(LoginMoved(stage=LoginStage.CODE_SENT), SessionState.NEEDS_CODE)
            case PasswordWanted(hint=hint):
                moved = LoginMoved(stage=LoginStage.PASSWORD_WANTED, hint=hint)
                self._enter_stage(moved, SessionState.NEEDS_PASSWORD)
            case LoggedIn(key=key, username=username):
                # The key is sent first, because everyone who learns of the login relies on it.
                await self._outbox.report(key)
                self._answer(LoginMoved(stage=LoginStage.LOGGED_IN, username=username))
                raise SessionGained

    def _scan(self, pause: float) -> None:
        self._scanning = asyncio.create_task(self._wait_for_scan(pause), name="scan")

    async def _wait_for_scan(self, pause: float) -> None:
        await asyncio.sleep(pause)
        try:
            self._steps.put_nowait(await self._login.scan_qr(self._show))
        except TelegramError as error:
            self._steps.put_nowait(error)

    def _show(self, code: QrCode) -> None:
        if self._stage is not LoginStage.QR_SHOWN:
            # Nobody can look at a code that is not there, so the time begins with the first one.
            self._time_limit = self._unwatched_time_limit
            self._steps.put_nowait(WatchQr())
        shown = LoginMoved(stage=LoginStage.QR_SHOWN, qr_url=code.url, expires_at=code.expires_at)
        self._enter_stage(shown, SessionState.NEEDS_LOGIN)

    def _handle_failed_scan(self, error: TelegramError) -> None:
        if self._stage is None and self._asked_by is not None:
            self._report_failure(self._asked_by, error)
        if not isinstance(error, Unreachable | TemporarilyFailed):
            raise ending_of(error) from error
        self._scan(RESCAN_PAUSE)

    def _report_failure(self, request_id: int, error: TelegramError) -> None:
        """Report why a step failed; the login continues if another try can help."""
        logger.info("login: %s", error)
        failure = failure_of(error)
        self._outbox.put(
            LoginFailed(
                request_id=request_id,
                failure=failure,
                detail=str(error),
                retry_after=error.seconds if isinstance(error, FloodWait) else None,
            )
        )
        if self._stage is None or failure in FINAL_FAILURES:
            raise ending_of(error) from error

    def _enter_stage(self, moved: LoginMoved, state: SessionState) -> None:
        if self._stage is not moved.stage:
            self._outbox.put(SessionChanged(state=state))
        self._stage = moved.stage
        self._answer(moved)

    def _answer(self, moved: LoginMoved) -> None:
        logger.info("login: %s", moved.stage)
        asked_by, self._asked_by = self._asked_by, None
        self._outbox.put(moved.model_copy(update={"request_id": asked_by}))

    async def _clean_up(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Leave neither an open connection nor a login code that is still valid."""
        under_way = [*tasks, *([self._scanning] if self._scanning else [])]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT):
                await self._login.close()
