"""What stands beside exported pairs: a card for people and the Hub, credits, pictures, and metadata for search engines."""
