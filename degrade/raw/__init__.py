"""From light to a developed picture: colour filter array, noise, the camera's own denoiser; and film."""
