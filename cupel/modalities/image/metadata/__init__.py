"""What a file says beside its pixels: of the place, the person and the camera. Removed without touching a pixel."""
