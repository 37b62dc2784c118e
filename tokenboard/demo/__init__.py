"""One believable company with months of spend, to look at before connecting anything."""
