"""Check of our timer against the timers of others, which a suite may ask for."""
