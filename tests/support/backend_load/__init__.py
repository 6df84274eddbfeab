"""The example backend under load, while its server, its workers and its disk fail: ``python -m backend_load``."""
