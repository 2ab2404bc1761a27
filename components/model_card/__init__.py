"""What a pushed model says of itself to people and to the Hugging Face hub: its card."""
