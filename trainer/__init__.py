"""How a model is made: approaches, heads, input pipeline, optimiser, distribution, training and export."""
