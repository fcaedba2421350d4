"""How many people do you still need: a model, a crew and both label the sample, and experts read what must be read."""
