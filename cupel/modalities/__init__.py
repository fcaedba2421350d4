"""What an item is: how it is read, normalised and measured."""
