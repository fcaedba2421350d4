"""Label Studio: the open tasks are put to people there, and what they answer is collected."""
