"""What programs do to a picture on its way through the web: blur, resize, disturb, save, twice over."""
