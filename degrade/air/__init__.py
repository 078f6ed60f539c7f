"""The air between the camera and the scene: how thick it is, and what light it adds."""
