"""The app that is deployed on Modal."""
