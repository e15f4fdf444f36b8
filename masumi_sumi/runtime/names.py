"""The names under which our parts are found in a Ray cluster."""

NAMESPACE = "masumi_sumi"
SUPERVISOR = "supervisor"
