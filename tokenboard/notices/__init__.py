"""The outbox: e-mails and signed webhooks, written with their cause and sent by a job. Addresses come as values."""
