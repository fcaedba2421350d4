"""How one label came to be, from the line of the delivery to the file of the release."""
