"""The operator's view: health, heartbeat, the start-up doctor, key rotation."""
