"""The house's own accounts. Their ids are fixed, so that no statement has to look them up."""

from __future__ import annotations

import uuid
from enum import StrEnum

_NAMESPACE = uuid.UUID("7d6a1a6e-0f0c-4c1e-9d0b-6c6564676572")


class House(StrEnum):
    """Where credits come from and go to."""

    SALES_STRIPE = "sales:stripe"  # sold through Stripe
    SALES_PAYSTACK = "sales:paystack"  # sold through Paystack
    PROMOTIONS = "promotions"  # given away: sign-up, gifts, codes
    ADJUSTMENTS = "adjustments"  # put right by an administrator
    USAGE = "usage"  # used
    EXPIRED = "expired"  # ran out of time
    CLAWBACK = "clawback"  # taken back after a refund or dispute
    SHRINKAGE = "shrinkage"  # what the house absorbs

    @property
    def account_id(self) -> str:
        return _IDS[self]


_IDS = {house: str(uuid.uuid5(_NAMESPACE, house.value)) for house in House}
HOUSE_NAMES = {account_id: house.value for house, account_id in _IDS.items()}
