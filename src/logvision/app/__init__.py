"""Puts the parts together for a command: settings in, a running system out."""
