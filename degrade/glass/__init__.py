"""A pane of glass: how much it mirrors and passes, what is seen in it, its ghosts, its ends and its dirt."""
