"""Who makes the clean side of a real photo: editors, restoration networks, commands, references that exist already, bursts."""
