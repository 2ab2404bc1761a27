"""What a training reads: batches of tokenized rows, masked or paired where pre-training needs it."""
