"""How weights are updated: optimizer, rates by variable, gradients of batches in parts."""
