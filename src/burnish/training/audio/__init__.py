"""Training of models that restore sound."""
