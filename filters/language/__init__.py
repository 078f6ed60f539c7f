"""What words can tell about photos: sayings and their opposites, the views that a network is shown, and the arithmetic between them."""
