"""Every page of the product, in the order one would be shown around: what docs/tour.md tells and pictures, what the
browser test looks at. `tests/house/test_tour.py` holds the list against docs/map.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TourPage:
    """A page. `path` may hold `{conversation}` and the like, which tests/e2e/stage.py fills in."""

    name: str  # of the picture
    path: str
    title: str
    text: str
    who: str = "owner"  # visitor, owner, administrator, demo (the owner in the demo workspace)


@dataclass(frozen=True, slots=True)
class TourPart:
    """A chapter."""

    title: str
    pages: tuple[TourPage, ...]


_FRONT = TourPart(
    "The front door",
    (
        TourPage("landing", "/", "Front page", "What it is for, what a request costs, prices in short.", "visitor"),
        TourPage(
            "pricing",
            "/pricing",
            "Pricing",
            "Packs and plans of the live catalogue, in dollars or shillings.",
            "visitor",
        ),
        TourPage(
            "models", "/models", "Models", "What a million tokens of every model cost here, markup included.", "visitor"
        ),
        TourPage("register", "/register", "Create account", "An e-mail and a password are all.", "visitor"),
        TourPage("login", "/login", "Sign in", "By password, and by a provider where one is set up.", "visitor"),
        TourPage("forgot", "/forgot", "Forgotten password", "The same answer for every address.", "visitor"),
        TourPage("terms", "/terms", "Terms", "A page until the operator's own terms take its place.", "visitor"),
        TourPage("privacy", "/privacy", "Privacy", "What is kept, where it goes, what one can do.", "visitor"),
        TourPage("api", "/api/docs", "API", "Every call by name; the document for programs is beside it.", "visitor"),
        TourPage(
            "api-part",
            "/api/docs?tag=Credits",
            "A part of the API",
            "What each call takes and answers, to be copied.",
            "visitor",
        ),
    ),
)
_WATCH = TourPart(
    "Watching a bill",
    (
        TourPage(
            "dashboard",
            "/dashboard",
            "Dashboard",
            "The month, its forecast, the budget and what changed; here the demo.",
            "demo",
        ),
        TourPage(
            "budgets",
            "/settings/budgets",
            "Budgets",
            "For the workspace and for projects, with alerts in steps.",
            "demo",
        ),
        TourPage(
            "connections",
            "/settings/connections",
            "Connections",
            "Keys that may read costs, sealed; how each reading went.",
        ),
        TourPage(
            "notifications", "/settings/notifications", "Notifications", "Where alerts go: e-mail and signed webhooks."
        ),
        TourPage("welcome", "/dashboard", "First sign-in", "Three doors instead of an empty page."),
    ),
)
_CREDITS = TourPart(
    "Credits and payments",
    (
        TourPage(
            "credits", "/credits", "Credits", "What is left and in which order it is used; packs, ledger, payments."
        ),
        TourPage(
            "payment",
            "/credits/payments/{payment}",
            "A payment",
            "It waits with the buyer and says which step it is in.",
        ),
        TourPage("receipt", "/credits/payments/{payment}/receipt", "Receipt", "To print or keep."),
        TourPage(
            "transaction", "/credits/transactions/{transaction}", "A transaction", "What moved, from where to where."
        ),
        TourPage("subscription", "/subscription", "Subscription", "Plans, and the one there is."),
        TourPage("example", "/example-ai", "A metered feature", "The worked example for programs of your own."),
    ),
)
_CHAT = TourPart(
    "Chat, keys and use",
    (
        TourPage("chat", "/chat", "Chat", "Any model with a price; what an answer may cost stands beside it."),
        TourPage("conversation", "/chat/{conversation}", "A conversation", "Under each answer what it cost."),
        TourPage(
            "answer-receipt", "/chat/messages/{answer}/receipt", "An answer's receipt", "How its price was computed."
        ),
        TourPage("keys", "/keys", "Virtual keys", "Keys for programs, each with limits of its own."),
        TourPage("key", "/keys/{key}", "A key", "What it used, how fast answers came, what it may."),
        TourPage(
            "key-request", "/keys/{key}/requests/{request}", "A request", "What one request of a key cost, and why."
        ),
        TourPage("usage", "/usage", "Usage", "Use by model, key, person, source and day; every request below."),
        TourPage("usage-request", "/usage/requests/{request}", "A request's receipt", "From the log of all requests."),
    ),
)
_SETTINGS = TourPart(
    "Account and settings",
    (
        TourPage("account", "/account", "Account", "Who one is, and where one is signed in."),
        TourPage("general", "/settings/general", "General", "Name and colours."),
        TourPage("workspace", "/settings/workspace", "Workspace", "Members, roles, invitations, monthly caps."),
        TourPage("security", "/settings/security", "Security", "E-mail, password, two-step sign-in, API tokens."),
        TourPage(
            "second-factor", "/settings/security/second-factor", "Two-step sign-in", "A code from an app on the phone."
        ),
        TourPage("data", "/settings/data", "Data", "Take everything along, or delete the account."),
    ),
)
_ROOM = TourPart(
    "The control room",
    (
        TourPage("admin", "/admin", "Overview", "What waits for a person.", "administrator"),
        TourPage("admin-users", "/admin/users", "People", "Everybody, with wallet, cap and standing.", "administrator"),
        TourPage("admin-user", "/admin/users/{person}", "A person", "What they have, use and may.", "administrator"),
        TourPage("admin-caps", "/admin/users/caps", "Caps", "Monthly limits of people.", "administrator"),
        TourPage("admin-alerts", "/admin/alerts", "Alerts", "Raised, taken up, dealt with.", "administrator"),
        TourPage("admin-jobs", "/admin/jobs", "Jobs", "The queue: what runs, what failed and why.", "administrator"),
        TourPage("admin-monitoring", "/admin/monitoring", "Monitoring", "How every part stood.", "administrator"),
        TourPage(
            "admin-settings", "/admin/settings", "Settings check", "What is set, and what is missing.", "administrator"
        ),
        TourPage("admin-prices", "/admin/prices", "Prices", "Of every model, with a rehearsal.", "administrator"),
        TourPage("admin-price", "/admin/prices/{price}", "A model's price", "Its versions.", "administrator"),
        TourPage("admin-audit", "/admin/audit", "Audit log", "Who did what, before and after.", "administrator"),
        TourPage("admin-open-webui", "/admin/open-webui", "Open WebUI", "What to set there.", "administrator"),
        TourPage("admin-announcements", "/admin/announcements", "Announcements", "A banner for all.", "administrator"),
        TourPage(
            "admin-payments", "/admin/payments", "Payments", "Every payment, with totals and CSV.", "administrator"
        ),
        TourPage(
            "admin-payment",
            "/admin/payments/{payment}",
            "A payment's story",
            "What happened, and its money back.",
            "administrator",
        ),
        TourPage("admin-webhooks", "/admin/webhooks", "Webhooks", "The inbox, with replay.", "administrator"),
        TourPage(
            "admin-webhook",
            "/admin/webhooks/{event}",
            "An event",
            "What came in and what became of it.",
            "administrator",
        ),
        TourPage(
            "admin-reconcile",
            "/admin/reconcile",
            "Comparisons",
            "With the providers, and what they found.",
            "administrator",
        ),
        TourPage(
            "admin-catalogue",
            "/admin/catalogue",
            "Catalogue",
            "What is sold, and why something is not.",
            "administrator",
        ),
        TourPage("admin-promo-codes", "/admin/promo-codes", "Promo codes", "Made in batches.", "administrator"),
        TourPage(
            "admin-promo-batch", "/admin/promo-codes/{batch}", "A batch", "How many are redeemed.", "administrator"
        ),
        TourPage("admin-books", "/admin/books", "Books", "Every law of the ledger as a lamp.", "administrator"),
        TourPage(
            "admin-books-month",
            "/admin/books/month",
            "Books of a month",
            "The provider's bill, the meter, what customers paid; each gap by its name.",
            "administrator",
        ),
        TourPage(
            "admin-books-foreign",
            "/admin/books/foreign",
            "Foreign spend",
            "What nobody here pays for, and prices that differ.",
            "administrator",
        ),
        TourPage("admin-adjust", "/admin/adjust", "Adjust", "Give and take credits, with a reason.", "administrator"),
        TourPage("outbox", "/dev/outbox", "Outbox", "In development: what would have been mailed.", "administrator"),
        TourPage("outbox-message", "/dev/outbox/{notice}", "A message", "One of them.", "administrator"),
    ),
)
PARTS = (_FRONT, _WATCH, _CREDITS, _CHAT, _SETTINGS, _ROOM)
PAGES = tuple(page for part in PARTS for page in part.pages)

# Pages of the map that the tour does not picture, and why.
LEFT_OUT = {
    "/auth/signin": "leads to /login",
    "/auth/signup": "leads to /register",
    "/billing": "leads to /credits",
    "/analytics": "leads to /usage",
    "/settings": "leads to /settings/general",
    "/reset": "leads to /forgot",
    "/login/oidc": "leads to the provider",
    "/login/oidc/callback": "leads on from the provider",
    "/login/oidc/connect": "needs a provider",
    "/confirm": "asks only who has been away for a while",
    "/login/code": "stands between password and dashboard",
    "/signed-out": "stands after the provider's sign-out",
    "/forgot/sent": "one sentence",
    "/setup/:token": "a registration, once",
    "/reset/:token": "behind a mailed link",
    "/verify/:token": "behind a mailed link",
    "/account/email/:token": "behind a mailed link",
    "/invitations/:token": "behind a mailed link",
    "/credits/pill": "a piece of every page",
    "/credits/total": "a piece of /credits",
    "/chat/messages/:id/stream": "a stream",
    "/.well-known/security.txt": "a text for programs",
}
FILES = (".csv", ".md", ".json", ".txt")  # downloads are no pages
