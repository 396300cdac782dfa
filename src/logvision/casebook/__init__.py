"""The casebook: state that changes. Incidents, decisions about them, and the state of detection."""
