"""The schema's history, run by ``masumi_sumi.migration``."""
