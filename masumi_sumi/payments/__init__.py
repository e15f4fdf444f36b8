"""The Masumi payment node: its calls, its words, its identifiers; facts, no policy."""
