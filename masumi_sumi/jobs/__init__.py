"""A job from hire to settled payment: what it is, its rules, its loop, its store."""
