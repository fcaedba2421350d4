"""What a batch's annotators say together, and how far they agree; a module a method."""
