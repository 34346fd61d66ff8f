"""What the process tells about itself: alarms, metrics, health and status."""
