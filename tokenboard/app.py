"""`create_app(settings)`: the only place that knows every feature, in visible steps."""

from __future__ import annotations

import os

from flask import Blueprint, Flask
from flask_migrate import Migrate

from tokenboard import wiring
from tokenboard.accounts import (
    api as accounts_api,
    cli as accounts_cli,
    confirm_routes,
    mail_api,
    mailbox_routes,
    routes as accounts_routes,
    security_api,
    security_routes,
    sessions,
    tasks as accounts_tasks,
)
from tokenboard.billing import (
    admin_api as billing_admin_api,
    api as billing_api,
    cli as billing_cli,
    credits_routes,
    payments_api,
    plan_routes,
    promo_api,
    reconcile_runs,
    routes as billing_routes,
    tasks as billing_tasks,
    webhooks as billing_webhooks,
)
from tokenboard.chat import (
    acting_routes as chat_acting_routes,
    api as chat_api,
    conversation_routes as chat_conversation_routes,
    routes as chat_routes,
    stream_routes as chat_stream_routes,
    tasks as chat_tasks,
)
from tokenboard.core import db as database, jobs, logging
from tokenboard.core.config import ROOT, Settings, load_settings
from tokenboard.costs import (
    api as costs_api,
    budget_api,
    budget_routes,
    budget_tasks,
    cli as costs_cli,
    report_api,
    routes as costs_routes,
    tasks as costs_tasks,
)
from tokenboard.demo import cli as demo_cli, routes as demo_routes, tasks as demo_tasks
from tokenboard.gateway import api as gateway_api
from tokenboard.keys import (
    acting_routes as keys_acting_routes,
    api as keys_api,
    budget_api as keys_budget_api,
    cli as keys_cli,
    reconcile_tasks,
    routes as keys_routes,
    spend_tasks,
    sync_tasks,
    tasks as keys_tasks,
    webhooks as keys_webhooks,
)
from tokenboard.ledger.cli import ledger_commands
from tokenboard.metering import api as metering_api, cli as metering_cli, generations, tasks as metering_tasks
from tokenboard.notices import tasks as notices_tasks
from tokenboard.ops import (
    alerts_api,
    alerts_routes,
    announcements_routes,
    api as ops_api,
    audit_routes,
    books_api,
    books_routes,
    books_tasks,
    caps_routes,
    catalogue_routes,
    cli as ops_cli,
    inbox_routes,
    jobs_routes,
    monitoring_api,
    monitoring_routes,
    openapi_routes,
    openwebui_routes,
    payments_routes,
    people_api,
    people_routes,
    prices_routes,
    promo_routes,
    reconcile_routes,
    routes as ops_routes,
    tasks as ops_tasks,
    threeway_api,
    threeway_cli,
    threeway_routes,
    view_routes,
)
from tokenboard.portal import (
    account_api,
    dashboard,
    data_routes,
    jobs_api,
    link_routes,
    mail_routes,
    oidc_routes,
    public_routes,
    routes_front as front,
    settings_pages,
    shell,
    summary_api,
    tasks as portal_tasks,
    usage_api,
    usage_routes,
)
from tokenboard.wallet import (
    api as wallet_api,
    credit_value,
    example_routes,
    routes as wallet_routes,
    tasks as wallet_tasks,
)
from tokenboard.web import api, assets, errors, filters, limits, macros, paths, security
from tokenboard.workspaces import api as workspaces_api, channel_routes, routes as workspaces_routes

# Imported so that the worker finds their tasks by name.
TASKS = (
    accounts_tasks,
    billing_tasks,
    reconcile_runs,
    books_tasks,
    budget_tasks,
    chat_tasks,
    costs_tasks,
    demo_tasks,
    keys_tasks,
    spend_tasks,
    reconcile_tasks,
    sync_tasks,
    metering_tasks,
    notices_tasks,
    ops_tasks,
    portal_tasks,
    wallet_tasks,
)

migrate = Migrate(directory=str(ROOT / "migrations"), compare_type=True, render_as_batch=True)


def create_app(settings: Settings | None = None) -> Flask:
    """Build an application. Raises: ConfigError when the settings cannot be used."""
    settings = settings or load_settings(os.environ)
    logging.configure_logging(settings.log_level)
    app = Flask(
        "tokenboard",
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        instance_path=str(settings.instance_path),
    )
    app.extensions["settings"] = settings
    app.json = api.Json(app)
    _connect_parts(app, settings)
    _dress_pages(app, settings)
    for blueprint in _blueprints():
        app.register_blueprint(blueprint)
    accounts_cli.init_app(app)
    app.cli.add_command(ledger_commands)
    credit_value.check(app)
    return app


def _connect_parts(app: Flask, settings: Settings) -> None:
    """Database, queue, providers, and what guards every request."""
    database.init_app(app, settings)
    migrate.init_app(app, database.db)
    jobs.init_app(app, settings.redis_url)
    wiring.init_app(app, settings)
    security.init_app(app, settings)
    errors.init_app(app)
    limits.init_app(app, settings)
    paths.init_app(app)
    sessions.init_app(app)
    generations.init_app(app, settings)


def _dress_pages(app: Flask, settings: Settings) -> None:
    """What every template can use."""
    macros.init_app(app)
    filters.register(app)
    shell.init_app(app)
    assets.init_app(app, watch=not settings.is_production, is_https=settings.is_https)


def _blueprints() -> list[Blueprint]:
    """Every door of the house."""
    return [
        front.blueprint,
        public_routes.blueprint,
        account_api.blueprint,
        settings_pages.blueprint,
        accounts_routes.blueprint,
        accounts_api.blueprint,
        confirm_routes.blueprint,
        mailbox_routes.blueprint,
        security_routes.blueprint,
        security_api.blueprint,
        mail_api.blueprint,
        link_routes.blueprint,
        oidc_routes.blueprint,
        data_routes.blueprint,
        workspaces_routes.blueprint,
        workspaces_api.blueprint,
        costs_routes.blueprint,
        costs_api.blueprint,
        costs_cli.blueprint,
        report_api.blueprint,
        budget_api.blueprint,
        budget_routes.blueprint,
        summary_api.blueprint,
        jobs_api.blueprint,
        dashboard.blueprint,
        usage_routes.blueprint,
        usage_api.blueprint,
        demo_routes.blueprint,
        demo_cli.blueprint,
        channel_routes.blueprint,
        mail_routes.blueprint,
        wallet_routes.blueprint,
        wallet_api.blueprint,
        example_routes.blueprint,
        billing_routes.blueprint,
        credits_routes.blueprint,
        plan_routes.blueprint,
        payments_api.blueprint,
        billing_api.blueprint,
        billing_admin_api.blueprint,
        billing_webhooks.blueprint,
        keys_api.blueprint,
        keys_routes.blueprint,
        keys_acting_routes.blueprint,
        keys_webhooks.blueprint,
        keys_budget_api.blueprint,
        keys_cli.blueprint,
        billing_cli.blueprint,
        metering_api.blueprint,
        metering_cli.blueprint,
        chat_api.blueprint,
        chat_routes.blueprint,
        chat_acting_routes.blueprint,
        chat_conversation_routes.blueprint,
        chat_stream_routes.blueprint,
        gateway_api.blueprint,
        *_operators_doors(),
    ]


def _operators_doors() -> list[Blueprint]:
    """Health, and the control room."""
    return [
        ops_api.blueprint,
        openapi_routes.blueprint,
        books_api.blueprint,
        books_routes.blueprint,
        people_routes.blueprint,
        caps_routes.blueprint,
        view_routes.blueprint,
        people_api.blueprint,
        alerts_routes.blueprint,
        alerts_api.blueprint,
        jobs_routes.blueprint,
        monitoring_routes.blueprint,
        monitoring_api.blueprint,
        prices_routes.blueprint,
        audit_routes.blueprint,
        announcements_routes.blueprint,
        announcements_routes.dismissals,
        threeway_routes.blueprint,
        threeway_api.blueprint,
        threeway_cli.blueprint,
        payments_routes.blueprint,
        inbox_routes.blueprint,
        promo_api.blueprint,
        promo_routes.blueprint,
        reconcile_routes.blueprint,
        catalogue_routes.blueprint,
        openwebui_routes.blueprint,
        ops_cli.blueprint,
        ops_routes.blueprint,
    ]
