"""The project file: a module a section, named as in YAML; `project` holds what goes across them."""
