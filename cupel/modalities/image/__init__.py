"""Images: what an item is that is a picture, as a file of the delivery's folder or at an address."""
