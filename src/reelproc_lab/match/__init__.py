"""Draw a football match, as footage whose every pixel is known."""
