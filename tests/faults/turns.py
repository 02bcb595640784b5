"""Two runs at once, one request at a time: which of them goes next is drawn, so that a seed tells the whole story."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tests.faults.world import Hook, Moment

_STEPS_TO_SETTLE = 60
"""Rounds of the event loop in which a run that got its answer comes to its next request, or ends."""


class Turns:
    """Lets one request of all runs through at a time, and somebody act in between."""

    def __init__(self, seed: int, deeds: Sequence[Callable[[], object] | None] = ()) -> None:
        self._chance = random.Random(seed)
        self._deeds = list(deeds)
        self._waiting: list[asyncio.Future[None]] = []
        self._is_answered = asyncio.Event()

    @property
    def hook(self) -> Hook:
        async def hook(moment: Moment, name: str) -> None:
            if moment == "after":
                self._is_answered.set()
                return
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

        return hook

    async def play(self, runs: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
        """Run all to their ends; give what they returned or raised."""
        tasks = [asyncio.ensure_future(run) for run in runs]
        while not all(task.done() for task in tasks):
            await self._settle()
            self._waiting = [turn for turn in self._waiting if not turn.done()]  # one may have been given up
            if not self._waiting:
                continue
            turn = self._waiting.pop(self._chance.randrange(len(self._waiting)))
            if self._deeds and (deed := self._deeds.pop(0)):
                deed()
            self._is_answered.clear()
            turn.set_result(None)
            await self._is_answered.wait()
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self) -> None:
        for _ in range(_STEPS_TO_SETTLE):
            await asyncio.sleep(0)
