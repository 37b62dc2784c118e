"""Selling credits: catalogue, checkout, payments, subscriptions, refunds, disputes, and the inbox of webhooks."""
