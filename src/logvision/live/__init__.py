"""Live: what happens now, from the engine to every open page."""
