"""The schema's history, run by ``masumi_sumi.jobs.store.migrate``."""
