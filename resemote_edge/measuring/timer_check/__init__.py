"""The timer's check: our times against those of other people's timers, which a suite may ask for."""
