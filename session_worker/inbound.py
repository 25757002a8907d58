"""The way to Planfix: messages in order per chat, statuses in order per message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.chats import Chats
from session_worker.contract import PlanfixChanged
from session_worker.delivery import Delivery
from session_worker.gate import Gate
from session_worker.lanes import Lanes
from session_worker.statuses import Statuses

if TYPE_CHECKING:
    from session_worker.contract import WatchPlanfix
    from session_worker.message import Deliver, TellStatus
    from session_worker.parcel import Packing
    from session_worker.planfix import Planfix
    from session_worker.proofs import Proofs
    from session_worker.session import Outbox

GRACE = 2.0  # seconds for calls under way when the worker stops


class Inbound:
    """Takes what the supervisor has kept, brings it to Planfix."""

    def __init__(
        self,
        planfix: Planfix,
        packing: Packing,
        outbox: Outbox,
        proofs: Proofs,
        gate: Gate | None = None,
    ) -> None:
        self._planfix = planfix
        self._gate = gate or Gate()
        self._gate.tell = lambda is_away: outbox.put(PlanfixChanged(is_away=is_away))
        delivery = Delivery(planfix, self._gate, Chats(outbox), packing, outbox, proofs)
        self._messages: Lanes[Deliver] = Lanes(delivery.bring)
        self._statuses: Lanes[TellStatus] = Lanes(Statuses(planfix, self._gate, outbox).tell)

    def deliver(self, order: Deliver) -> None:
        """Take a message, behind all that were taken for the same chat."""
        self._messages.put(order.incoming.peer_id, order)

    def tell_status(self, order: TellStatus) -> None:
        """Take a status, behind all that were taken for the same message."""
        self._statuses.put(order.planfix_id, order)

    def watch(self, order: WatchPlanfix) -> None:
        self._gate.watch(is_lookout=order.is_lookout, try_now=order.try_now)

    async def close(self) -> None:
        """Let calls under way end, begin no other; what is left is still with the supervisor."""
        await self._gate.shut(GRACE)
        await self._messages.close()
        await self._statuses.close()
        await self._planfix.close()
