"""What the glass does to strong lights: diffraction at the iris, reflections between elements, haze inside the lens."""
