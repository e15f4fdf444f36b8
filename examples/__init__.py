"""Agents to learn from, and to sell in the demo."""
