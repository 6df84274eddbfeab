"""From a Reel to a file: plan, render segments, assemble."""
