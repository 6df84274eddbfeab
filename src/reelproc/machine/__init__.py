"""Ask the operating system: cores, memory, locks."""
