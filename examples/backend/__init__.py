"""An app's backend around reelproc: uploads, exports that survive a restart, a page to edit them on. See README.md."""
