"""Where records come from. `base` has the contract; each other module is one kind of source."""
