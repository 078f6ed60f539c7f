"""How scorers get at what they score: settings, items, and the worker that feeds them."""
