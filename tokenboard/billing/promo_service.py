"""Promo codes: batches made by an administrator, each code redeemed by so many people, once a person and batch.

Law: the code's counter is moved by one guarded UPDATE and the redemption is unique, so that two people, or two tabs,
that redeem the last use at once make one grant.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import or_, select, update

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.billing import catalogue_queries
from tokenboard.billing.errors import CodeNotValid, CodeUsed, PriceNotFound
from tokenboard.billing.promo_models import PromoBatch, PromoCode, PromoRedemption
from tokenboard.billing.promo_rules import MOST_CODES, BatchWish
from tokenboard.core.clock import now
from tokenboard.core.crypto import CannotUnseal, KeyRing, token_hash
from tokenboard.core.db import db, new_id, rows_changed
from tokenboard.core.errors import NotFound
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert
from tokenboard.ledger import service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.errors import IdempotencyConflict
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import Posting
from tokenboard.workspaces.models import Workspace

CODES_SHOWN = timedelta(hours=1)  # in clear, to whoever made them
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike: codes are read from paper
_LENGTH = 16  # 80 bits: not to be guessed
_PLAN_DAYS = {"month": 31, "year": 366}


def make_batch(*, wish: BatchWish, actor: str, batch_id: str | None = None) -> tuple[PromoBatch, list[str]]:
    """A batch and its codes in clear; kept as hashes.

    With a `batch_id`, the key of the form or call, the codes are shown to their maker for an hour, and asking again
    makes nothing new. Raises: PriceNotFound, IdempotencyConflict.
    """
    if not 1 <= wish.count <= MOST_CODES:
        raise ValueError(f"A batch has 1 to {MOST_CODES:,} codes.")
    plan = _plan(wish.plan_price) if wish.plan_price else ""
    made = _insert(wish, plan, actor, batch_id or new_id())
    batch = db.session.get_one(PromoBatch, made or batch_id, populate_existing=True)
    if made is None:
        _require_same(batch, wish, plan, actor)
        return batch, shown_codes(batch, actor)
    codes = [_new_code() for _ in range(wish.count)]
    db.session.add_all(PromoCode(batch_id=batch.id, code_hash=_hash(code), last4=code[-4:]) for code in codes)
    if batch_id is not None:
        batch.sealed_codes = settings().encryption_keys.seal("\n".join(codes), context=_context(batch.id))
    facts = {"name": wish.name, "count": wish.count}
    audit.record("billing.promo_batch_made", actor=actor, subject=batch.id, facts=facts)
    return batch, codes


def _insert(wish: BatchWish, plan: str, actor: str, batch_id: str) -> str | None:
    """The new row's id; None when the key has made one before, also at this very moment."""
    gives = {"credits_micros": wish.credits_micros, "plan_price_provider_id": plan, "uses_each": wish.uses_each}
    ends = {"expires_at": wish.expires_at, "credits_live_days": wish.credits_live_days}
    fresh = {"id": batch_id, "name": wish.name, "actor": actor, "sealed_codes": "", "created_at": now()}
    once = insert(PromoBatch).values(**fresh, **gives, **ends).on_conflict_do_nothing(index_elements=["id"])
    return db.session.scalar(once.returning(PromoBatch.id))


def _require_same(batch: PromoBatch, wish: BatchWish, plan: str, actor: str) -> None:
    count = db.session.scalar(select(db.func.count()).where(PromoCode.batch_id == batch.id))
    before = (batch.name, batch.credits_micros, batch.plan_price_provider_id, batch.uses_each, count, batch.actor)
    if before != (wish.name, wish.credits_micros, plan, wish.uses_each, wish.count, actor):
        raise IdempotencyConflict


def shown_codes(batch: PromoBatch, viewer: str) -> list[str]:
    """The codes in clear, for whoever made them, until they are stored or an hour is over; else none."""
    if not batch.sealed_codes or batch.actor != viewer or now() - batch.created_at > CODES_SHOWN:
        return []
    try:
        return settings().encryption_keys.unseal(batch.sealed_codes, context=_context(batch.id)).split("\n")
    except CannotUnseal:
        return []  # the keys were exchanged meanwhile


def put_codes_away(*, batch_id: str, actor: str) -> None:
    """They are stored: nobody sees them here again. Idempotent."""
    stored = update(PromoBatch).where(PromoBatch.id == batch_id, PromoBatch.actor == actor)
    db.session.execute(stored.values(sealed_codes="").execution_options(synchronize_session=False))


def forget_codes() -> int:
    """Put away what has been shown for an hour; of how many batches."""
    is_over = (PromoBatch.sealed_codes != "", PromoBatch.created_at < now() - CODES_SHOWN)
    if db.session.scalar(select(PromoBatch.id).where(*is_over).limit(1)) is None:
        return 0
    over = update(PromoBatch).where(*is_over).values(sealed_codes="")
    return rows_changed(db.session.execute(over.execution_options(synchronize_session=False)))


def reseal(key_ring: KeyRing) -> int:
    """Seal what is still shown with the key that writes now. Returns how many changed. Raises: CannotUnseal."""
    changed = 0
    for batch in db.session.scalars(select(PromoBatch).where(PromoBatch.sealed_codes != "")):
        if not key_ring.is_current(batch.sealed_codes):
            codes = key_ring.unseal(batch.sealed_codes, context=_context(batch.id))
            batch.sealed_codes = key_ring.seal(codes, context=_context(batch.id))
            changed += 1
    return changed


def _context(batch_id: str) -> str:
    return f"promo:{batch_id}"


def _plan(plan_price: str) -> str:
    offer = catalogue_queries.offer(plan_price)
    if offer.price.interval is None:
        raise PriceNotFound
    return offer.price.provider_id


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, _LENGTH, 4))


def _hash(code: str) -> str:
    plain = "".join(one for one in code.upper() if one.isascii() and one.isalnum())
    return token_hash(f"promo:{plain}")


def redeem(*, workspace: Workspace, person: Person, code: str) -> tuple[Posting, int]:
    """Turn a code into credits: the posting, and how many micro-credits. Raises: CodeNotValid, CodeUsed."""
    found = db.session.execute(
        select(PromoCode, PromoBatch)
        .join(PromoBatch, PromoBatch.id == PromoCode.batch_id)
        .where(
            PromoCode.code_hash == _hash(code),
            PromoBatch.ended_at.is_(None),
            or_(PromoBatch.expires_at.is_(None), PromoBatch.expires_at > now()),
        )
    ).first()
    if found is None:
        raise CodeNotValid
    promo, batch = found
    redemption_id = _first_redemption(workspace, person, promo)
    if redemption_id is None or not _take_use(promo, batch):
        raise CodeUsed
    return _grant(workspace, person, promo, batch, redemption_id)


def _first_redemption(workspace: Workspace, person: Person, promo: PromoCode) -> str | None:
    """The redemption's row, or None when this person has used a code of the batch, also at this very moment."""
    row_id = new_id()
    fresh = {"id": row_id, "batch_id": promo.batch_id, "code_id": promo.id, "person_id": person.id}
    # The transaction is known after the grant, in this same transaction of the database.
    values = fresh | {"workspace_id": workspace.id, "transaction_id": row_id, "created_at": now()}
    once = insert(PromoRedemption).values(**values).on_conflict_do_nothing(index_elements=["batch_id", "person_id"])
    return db.session.scalar(once.returning(PromoRedemption.id))


def _take_use(promo: PromoCode, batch: PromoBatch) -> bool:
    taken = update(PromoCode).where(PromoCode.id == promo.id, PromoCode.uses < batch.uses_each)
    taken = taken.values(uses=PromoCode.uses + 1).execution_options(synchronize_session=False)
    return db.session.scalar(taken.returning(PromoCode.id)) is not None


def _grant(
    workspace: Workspace, person: Person, promo: PromoCode, batch: PromoBatch, redemption_id: str
) -> tuple[Posting, int]:
    micros, days = _worth(batch)
    posting = ledger.grant(
        wallet_id=workspace.ledger_account_id,
        amount_micros=micros,
        category=Category.PROMOTIONAL,
        house=House.PROMOTIONS,
        key=f"promo:{redemption_id}",
        expires_at=now() + timedelta(days=days) if days else None,
        description=f"Code {batch.name}"[:200],
        source=f"billing:promo:{promo.id}",
    )
    redeemed = update(PromoRedemption).where(PromoRedemption.id == redemption_id)
    db.session.execute(redeemed.values(transaction_id=posting.transaction_id))
    audit.record(
        "billing.code_redeemed",
        actor=person.id,
        subject=promo.id,
        workspace_id=workspace.id,
        facts={"credits_micros": micros},
    )
    return posting, micros


def _worth(batch: PromoBatch) -> tuple[int, int]:
    """Micro-credits, and days they live. A plan gives what one period of it includes, for that period."""
    if not batch.plan_price_provider_id:
        return batch.credits_micros, batch.credits_live_days
    offer = catalogue_queries.known_price(batch.plan_price_provider_id)
    if offer is None or not offer.product.credits or offer.price.interval is None:
        raise CodeNotValid
    return offer.product.credits * MICROS_PER_CREDIT, _PLAN_DAYS[offer.price.interval]


def end_batch(*, batch_id: str, actor: str) -> PromoBatch:
    """Its codes are worth nothing from now on; what was redeemed stays. Idempotent. Raises: NotFound."""
    ending = update(PromoBatch).where(PromoBatch.id == batch_id, PromoBatch.ended_at.is_(None))
    ending = ending.values(ended_at=now(), sealed_codes="").execution_options(synchronize_session=False)
    if rows_changed(db.session.execute(ending)):
        audit.record("billing.promo_batch_ended", actor=actor, subject=batch_id)
    found = db.session.get(PromoBatch, batch_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found
