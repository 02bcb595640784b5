"""The ledger: what a run leaves behind, so that the next one knows, whenever the first one died."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from state.ids import ZERO_SHA, RepositoryName, Sha
from state.ledger import (
    Intent,
    Ledger,
    LedgerError,
    Move,
    Proof,
    SpentPermit,
    dump_ledger,
    parse_ledger,
    record_confirmed,
    record_intents,
    record_observation,
    record_undone,
)
from tests.builders import LIVE, NOW, OGR, TARGET, accepted_commit, sha

OTHER: RepositoryName = "packit/other"
LATER = NOW + timedelta(hours=1)
ELSEWHERE = sha("e")


def intent(
    name: RepositoryName = OGR,
    *,
    before: Sha | None = LIVE,
    after: Sha = TARGET,
    is_permitted: bool = False,
    run: str = "run 1",
) -> Intent:
    return Intent(repository=name, before=before, after=after, is_permitted=is_permitted, run=run, at=NOW)


def intending(*intents: Intent, **rest: Any) -> Ledger:
    return Ledger(accepted=accepted_commit(), intents=intents or (intent(),), **rest)


def observe(ledger: Ledger, live: dict[RepositoryName, Sha | None], **rest: Any) -> Ledger:
    """Record an observation of these refs, under the accepted commit and with OGR's target unless told otherwise."""
    given = {"accepted": ledger.accepted, "targets": {OGR: TARGET}, "now": LATER} | rest
    return record_observation(ledger, live=live, **given)


class TestIntents:
    """What a run is about to do is written before it is done."""

    def test_replaces_its_own_repository_only(self) -> None:
        """A new intent replaces an open one of the same repository; those of others stay."""
        first = record_intents(Ledger(), (intent(OTHER), intent(OGR, run="run 1")))
        second = record_intents(first, (intent(OGR, run="run 2"),))
        assert (intent(OTHER), intent(OGR, run="run 2")) == second.intents

    def test_nothing_new(self) -> None:
        """A run that intends nothing changes nothing."""
        assert intending() == record_intents(intending(), ())


class TestConfirmed:
    """What GitHub has confirmed counts, wherever the ref stands by now."""

    def test_becomes_a_move_and_a_proof(self) -> None:
        """A confirmed intent is a move by its run, at this time, and proves the ref."""
        found = record_confirmed(intending(), {OGR: TARGET}, LATER)
        assert found.intents == ()
        assert found.moves == (Move(repository=OGR, before=LIVE, after=TARGET, at=LATER, run="run 1"),)
        assert found.proved == {OGR: Proof(sha=TARGET, at=LATER, moved_at=NOW)}
        assert found.spent == ()

    @pytest.mark.parametrize(("from_", "before"), [(LIVE, LIVE), (ZERO_SHA, None)])
    def test_spends_its_permit(self, from_: Sha, before: Sha | None) -> None:
        """A move under a permit spends it; a ref that did not exist is written as zeros, as permits do."""
        found = record_confirmed(intending(intent(before=before, is_permitted=True)), {OGR: TARGET}, LATER)
        assert found.spent == (SpentPermit(repository=OGR, from_=from_, to=TARGET),)
        assert found.has_spent(OGR, from_, TARGET)
        assert not found.has_spent(OGR, TARGET, from_)
        assert not found.has_spent(OTHER, from_, TARGET)

    @pytest.mark.parametrize("confirmed", [{}, {OGR: LIVE}, {OTHER: TARGET}])
    def test_only_what_was_intended(self, confirmed: dict[RepositoryName, Sha]) -> None:
        """What was not intended so is none of this ledger's moves."""
        assert intending() == record_confirmed(intending(), confirmed, LATER)

    def test_is_counted_once(self) -> None:
        """Confirming and observing the same move, in any order and repeatedly, makes one move."""
        once = observe(record_confirmed(intending(), {OGR: TARGET}, LATER), {OGR: TARGET})
        other = record_confirmed(observe(intending(), {OGR: TARGET}), {OGR: TARGET}, LATER)
        assert once == other == observe(once, {OGR: TARGET}, now=LATER + timedelta(days=1))
        assert 1 == len(once.moves)


class TestUndone:
    """An open intent whose ref was moved since, and is where it was, has been carried out and undone."""

    @pytest.mark.parametrize(
        ("is_spent", "is_permitted", "moved_at"),
        [
            (True, True, {OGR: LATER}),
            (True, True, {OGR: NOW}),  # GitHub tells whole seconds
            (False, True, {OGR: NOW - timedelta(seconds=1)}),
            (False, True, {OTHER: LATER}),
            (False, True, {}),
            (False, False, {OGR: LATER}),  # without a permit it may be done again
        ],
    )
    def test_spends_its_permit(
        self,
        is_spent: bool,  # noqa: FBT001 (a truth table)
        is_permitted: bool,  # noqa: FBT001 (the same)
        moved_at: dict[RepositoryName, datetime],
    ) -> None:
        """And is open no longer."""
        ledger = intending(intent(is_permitted=is_permitted))
        found = record_undone(ledger, moved_at)
        assert is_spent == found.has_spent(OGR, LIVE, TARGET) == (found.intents == ())


class TestObservation:
    """What was observed settles what is open."""

    @pytest.mark.parametrize(
        ("live", "targets", "moves", "is_open"),
        [
            ({OGR: TARGET}, {OGR: TARGET}, 1, False),  # the killed run had done it
            ({OGR: LIVE}, {OGR: TARGET}, 0, True),  # it had not, or is about to
            ({OGR: LIVE}, {OGR: ELSEWHERE}, 0, False),  # and nobody wants it any more
            ({OGR: LIVE}, {}, 0, False),
            ({OGR: ELSEWHERE}, {OGR: TARGET}, 0, False),  # somebody else was there
            ({OGR: None}, {OGR: TARGET}, 0, False),
            ({OGR: TARGET}, {OGR: ELSEWHERE}, 1, False),  # it had, and the decision is another by now
            ({}, {OGR: TARGET}, 0, True),  # not seen is not settled
            ({}, {}, 0, True),
        ],
    )
    def test_settles_intents(
        self,
        live: dict[RepositoryName, Sha | None],
        targets: dict[RepositoryName, Sha],
        moves: int,
        is_open: bool,  # noqa: FBT001 (a truth table)
    ) -> None:
        """An open intent becomes a move, stays open, or lapses, by where its ref stands."""
        found = observe(intending(), live, targets=targets)
        assert (moves, is_open) == (len(found.moves), bool(found.intents))

    @pytest.mark.parametrize(
        ("is_spent", "live"),
        [
            (True, {OGR: TARGET}),
            (True, {OGR: ELSEWHERE}),  # carried out and built upon, perhaps
            (True, {OGR: None}),
            (False, {OGR: LIVE}),
            (False, {}),
        ],
    )
    def test_permit_is_spent_when_in_doubt(
        self,
        is_spent: bool,  # noqa: FBT001 (a truth table)
        live: dict[RepositoryName, Sha | None],
    ) -> None:
        """A permit is unspent only while its ref stands where it started: otherwise it may have been used."""
        found = observe(intending(intent(is_permitted=True)), live)
        assert is_spent == found.has_spent(OGR, LIVE, TARGET)
        assert found.spent == observe(found, live).spent

    def test_creation_that_was_carried_out(self) -> None:
        """A ref that was to be created and stands at its target was created."""
        found = observe(intending(intent(before=None)), {OGR: TARGET})
        assert [(None, TARGET)] == [(move.before, move.after) for move in found.moves]

    def test_proof_keeps_its_time(self) -> None:
        """A ref that stays at its target was proved when it was first seen there."""
        first = observe(Ledger(), {OGR: TARGET}, now=NOW)
        assert first == observe(first, {OGR: TARGET}, now=LATER)
        assert first.proved == {OGR: Proof(sha=TARGET, at=NOW)}

    @pytest.mark.parametrize("live", [{OGR: ELSEWHERE}, {OGR: None}, {}])
    def test_proof_outlives_the_ref(self, live: dict[RepositoryName, Sha | None]) -> None:
        """A ref that left its target keeps its proof: that is how a move by hand is known."""
        first = observe(Ledger(), {OGR: TARGET}, now=NOW)
        assert first == observe(first, live)

    def test_new_target_new_proof(self) -> None:
        """A ref at another target is proved there, and no longer at the first."""
        first = observe(Ledger(), {OGR: TARGET}, now=NOW)
        second = observe(first, {OGR: ELSEWHERE}, targets={OGR: ELSEWHERE})
        assert second.proved == {OGR: Proof(sha=ELSEWHERE, at=LATER)}

    def test_only_what_the_document_names(self) -> None:
        """A ref that nobody asks for is not proved."""
        assert Ledger() == observe(Ledger(), {OTHER: TARGET, OGR: LIVE})

    def test_new_commit_new_list_of_moves(self) -> None:
        """A newly accepted commit begins a new list; the intents and proofs of the last one are settled."""
        done = observe(intending(), {OGR: TARGET})
        assert 1 == len(done.moves)
        after = observe(done, {OGR: TARGET}, accepted=accepted_commit("d"))
        assert ((), done.proved, sha("d")) == (
            after.moves,
            after.proved,
            after.accepted.commit if after.accepted else None,
        )

    def test_late_move_belongs_to_the_new_list(self) -> None:
        """A move that a killed run made is listed under the commit at which it was found out."""
        after = observe(intending(), {OGR: TARGET}, accepted=accepted_commit("d"))
        assert 1 == len(after.moves)

    def test_blind_to_the_order_of_refs(self) -> None:
        """The same observation gives the same bytes."""
        targets = {OGR: TARGET, OTHER: TARGET}
        one = observe(Ledger(), {OGR: TARGET, OTHER: TARGET}, targets=targets)
        two = observe(Ledger(), {OTHER: TARGET, OGR: TARGET}, targets=dict(reversed(targets.items())))
        assert dump_ledger(one) == dump_ledger(two)


class TestText:
    """The ledger as a file."""

    @pytest.mark.parametrize(
        "ledger",
        [
            Ledger(),
            intending(),
            intending(intent(before=None, is_permitted=True)),
            record_confirmed(intending(intent(before=None, is_permitted=True)), {OGR: TARGET}, LATER),
            Ledger(accepted=accepted_commit(pull_request=7, approvers=("ann", "bob"))),
            Ledger(accepted=accepted_commit().model_copy(update={"policy_blob": None})),
            Ledger(proved={OGR: Proof(sha=TARGET, at=NOW)}, notified=("packit/ogr held",)),
        ],
    )
    def test_round_trip(self, ledger: Ledger) -> None:
        """Whatever is written can be read, also a ref that did not exist before."""
        assert ledger == parse_ledger(dump_ledger(ledger))

    def test_lines(self) -> None:
        """Every value stands on its own line, so that the branch's history can be read."""
        text = dump_ledger(intending())
        assert text.endswith("}\n")
        assert f'      "after": "{TARGET}",\n' in text

    @pytest.mark.parametrize(
        ("where", "text"),
        [
            ("the file", "not JSON"),
            ("the file", "[]"),
            ("version", '{"version": 2}'),
            ("proved.packit/ogr.at", f'{{"proved": {{"packit/ogr": {{"sha": "{TARGET}"}}}}}}'),
            ("intents", '{"intents": {}}'),
            ("color", '{"color": "green"}'),
        ],
    )
    def test_unreadable(self, where: str, text: str) -> None:
        """A ledger that this version cannot read is an error that says where."""
        with pytest.raises(LedgerError, match=rf"ledger\.json cannot be read at {where}: "):
            parse_ledger(text)
