"""Sell any Kodosumi agent on the Masumi network."""
