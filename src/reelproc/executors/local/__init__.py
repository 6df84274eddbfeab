"""Run jobs on this machine, in worker processes with durable folders."""
