"""Enrichment: what a request line does not say by itself: who asked, from where, with what, for what."""
