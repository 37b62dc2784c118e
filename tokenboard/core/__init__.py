"""The ground floor: settings, database, clock, money, secrets, errors, jobs, logs. No routes, no features."""
