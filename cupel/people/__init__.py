"""Who answers: questions, answers, the annotators themselves, and the tools they work in."""
