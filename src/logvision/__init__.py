"""LogVision: real-time web access-log analysis and intrusion detection."""

__version__ = "0.1.0"
