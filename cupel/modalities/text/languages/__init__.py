"""Which language and script a text is in: the model that ships with the project, what it reads, how it is trained."""
