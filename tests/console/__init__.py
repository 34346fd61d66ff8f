"""The console in a real Chromium, before the real admin listener."""
