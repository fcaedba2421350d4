"""What several annotators' marks say together: which mean the same thing, is it there, where do its edges lie."""
