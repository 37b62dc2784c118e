"""Stripe's catalogue in the sandbox: three packs, two plans, two promotion codes, and whatever the API adds.

Prices of a fresh sandbox: 100, 500, 2000 credits at $1, $5, $20; 2000 credits a month for $19.99, 24000 a year for
$199.00. Promotion codes: `FREE100` (100 % off) and `HALF` (50 % off).
"""

from __future__ import annotations

from typing import Any

from tokenboard.sandbox import stripe_shapes
from tokenboard.sandbox.stripe_form import Params, Refusal, choice, flag, merged, missing, whole
from tokenboard.sandbox.stripe_shapes import Body, recurring
from tokenboard.sandbox.stripe_world import World, wanted

_SEEDED = "catalogue"
_INTERVALS = ("day", "week", "month", "year")
_PACKS = (("100", "100 credits", 100), ("500", "500 credits", 500), ("2000", "2,000 credits", 2_000))
_PLANS = (("ProMonth", "Pro monthly", 2_000, 1_999, "month"), ("ProYear", "Pro yearly", 24_000, 19_900, "year"))
_CODES = (("FREE100", 100), ("HALF", 50))
_ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())


def seed(world: World) -> None:
    """Fill a fresh sandbox's catalogue, once."""
    if world.objects.get("stripe.seed", _SEEDED) is not None:
        return
    world.objects.put("stripe.seed", _SEEDED, {"at": world.now})
    for name, title, included in _PACKS:
        _offer(world, f"Pack{name}", title, included, included, None)
    for name, title, included, amount, interval in _PLANS:
        _offer(world, name, title, included, amount, recurring(interval))
    for code, percent in _CODES:
        coupon = _coupon(f"coupon_Sbx{code}", world.now, percent, None, None, f"{percent} % off")
        world.save(coupon)
        world.save(_promotion_code(f"promo_Sbx{code}", world.now, code, coupon["id"]))


def _offer(world: World, name: str, title: str, included: int, amount: int, repeats: Body | None) -> None:
    made = stripe_shapes.product(f"prod_Sbx{name}", world.now, title, {"includedCredits": str(included)}, None)
    world.save(made | {"default_price": f"price_Sbx{name}"})
    world.save(stripe_shapes.price(f"price_Sbx{name}", world.now, made["id"], "usd", amount, repeats))


def create_product(world: World, params: Params) -> Body:
    if not params.get("name"):
        raise missing("name")
    product_id = str(params.get("id") or world.new_id("product"))
    if world.look("product", product_id):
        raise Refusal(400, f"Product already exists: {product_id}", code="resource_already_exists", param="id")
    made = stripe_shapes.product(
        product_id, world.now, str(params["name"]), merged({}, params), params.get("description")
    )
    made["active"] = flag(params, "active") is not False
    world.save(made)
    world.emit("product.created", made)
    return made


def update_product(world: World, params: Params, product_id: str) -> Body:
    found = world.find("product", product_id)
    fields: Body = {name: params[name] for name in ("name", "description", "default_price") if name in params}
    if "metadata" in params:
        fields["metadata"] = merged(found["metadata"], params)
    if (active := flag(params, "active")) is not None:
        fields["active"] = active
    return world.change(found, "product.updated", updated=world.now, **fields)


def delete_product(world: World, product_id: str) -> Body:
    found = world.find("product", product_id)
    if world.every("price", product=product_id):
        raise Refusal(400, "This product cannot be deleted because it has one or more user-created prices.")
    world.objects.remove("stripe.product", product_id)
    world.emit("product.deleted", found)
    return {"id": product_id, "object": "product", "deleted": True}


def create_price(world: World, params: Params) -> Body:
    product_id = params.get("product") or _product_of(world, params)
    wanted(world, "product", product_id, "product")
    if not params.get("currency"):
        raise missing("currency")
    made = stripe_shapes.price(
        world.new_id("price"),
        world.now,
        str(product_id),
        str(params["currency"]).lower(),
        whole(params, "unit_amount"),
        _repeats(params.get("recurring")),
    )
    made |= {"nickname": params.get("nickname"), "lookup_key": params.get("lookup_key")}
    made["metadata"] = merged({}, params)
    made["active"] = flag(params, "active") is not False
    if params.get("billing_scheme") == "tiered":
        made |= {"billing_scheme": "tiered", "unit_amount": None, "unit_amount_decimal": None}
        made["tiers_mode"] = params.get("tiers_mode", "graduated")
    world.save(made)
    world.emit("price.created", made)
    return made


def _product_of(world: World, params: Params) -> str:
    told = params.get("product_data")
    if not isinstance(told, dict):
        raise missing("product")
    return str(create_product(world, told)["id"])


def _repeats(told: Any) -> Body | None:
    if not isinstance(told, dict):
        return None
    interval = choice(told, "interval", _INTERVALS, "")
    count = whole(told, "interval_count", least=1, most=36) or 1
    usage = choice(told, "usage_type", ("licensed", "metered"), "licensed")
    return recurring(interval, count, usage, whole(told, "trial_period_days", most=730))


def update_price(world: World, params: Params, price_id: str) -> Body:
    found = world.find("price", price_id)
    fields: Body = {name: params[name] for name in ("nickname", "lookup_key") if name in params}
    if "metadata" in params:
        fields["metadata"] = merged(found["metadata"], params)
    if (active := flag(params, "active")) is not None:
        fields["active"] = active
    return world.change(found, "price.updated", **fields)


def delete_price(world: World, price_id: str) -> None:
    """Only possible in Stripe's dashboard and only for unused prices; here by the control API."""
    found = world.find("price", price_id)
    world.objects.remove("stripe.price", price_id)
    world.emit("price.deleted", found)


def inline_price(world: World, told: Params) -> Body:
    """A price made for one line of one checkout."""
    currency, amount = str(told.get("currency", "")).lower(), whole(told, "unit_amount")
    if not currency or amount is None:
        raise missing("line_items[0][price_data][unit_amount]")
    if told.get("product"):
        product_id = str(wanted(world, "product", told["product"], "line_items[0][price_data][product]")["id"])
    else:
        product_id = _product_of(world, told)
    made = stripe_shapes.price(
        world.new_id("price"), world.now, product_id, currency, amount, _repeats(told.get("recurring"))
    )
    return world.save(made | {"active": False})


def shown_amount(amount: int, currency: str) -> str:
    """An amount as a page shows it."""
    if currency in _ZERO_DECIMAL:
        return f"{amount:,} {currency.upper()}"
    return f"{amount // 100:,}.{amount % 100:02d} {currency.upper()}"


def create_coupon(world: World, params: Params) -> Body:
    coupon_id = str(params.get("id") or world.new_id("coupon"))
    percent = whole(params, "percent_off", least=1, most=100)
    off = whole(params, "amount_off", least=1)
    return world.save(_coupon(coupon_id, world.now, percent, off, params.get("currency"), params.get("name")))


def create_promotion_code(world: World, params: Params) -> Body:
    coupon = str((params.get("promotion") or {}).get("coupon"))
    wanted(world, "coupon", coupon, "promotion[coupon]")
    return world.save(_promotion_code(world.new_id("promotion_code"), world.now, str(params.get("code")), coupon))


def _coupon(
    coupon_id: str, created: int, percent: int | None, off: int | None, currency: str | None, name: str | None
) -> Body:
    return {
        "id": coupon_id,
        "object": "coupon",
        "amount_off": off,
        "created": created,
        "currency": currency,
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": name,
        "percent_off": percent,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }


def _promotion_code(code_id: str, created: int, code: str, coupon_id: str) -> Body:
    return {
        "id": code_id,
        "object": "promotion_code",
        "active": True,
        "code": code,
        "created": created,
        "customer": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "promotion": {"type": "coupon", "coupon": coupon_id},
        "restrictions": {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        "times_redeemed": 0,
    }


def discount_of(world: World, subtotal: int, promotion_code_id: str | None, coupon_id: str | None) -> int:
    """What a code or a coupon takes off."""
    if promotion_code_id:
        coupon_id = wanted(world, "promotion_code", promotion_code_id, "discounts")["promotion"]["coupon"]
    if not coupon_id:
        return 0
    coupon = wanted(world, "coupon", coupon_id, "discounts")
    if coupon["percent_off"]:
        return int(subtotal * coupon["percent_off"] + 50) // 100  # half up, as Stripe's invoices show
    return min(subtotal, int(coupon["amount_off"] or 0))
