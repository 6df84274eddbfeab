"""Finding players in footage, and following one of them."""
