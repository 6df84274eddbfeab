"""Run jobs in containers on Modal."""
