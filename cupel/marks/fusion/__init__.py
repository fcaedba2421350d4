"""What several annotators' marks say together: which of them mean the same thing, is it there, and where its edges lie."""
