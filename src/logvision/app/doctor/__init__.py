"""The doctor: is the set-up sound, and do the logs say what detection needs."""
