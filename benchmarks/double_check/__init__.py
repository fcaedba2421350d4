"""The double check on crowd data: what a certified error costs in expert answers, beside other rankers."""
