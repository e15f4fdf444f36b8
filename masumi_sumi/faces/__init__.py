"""HTTP dialects over the jobs: parse, call the service, word the answer."""
