"""Sound: recordings read and written, degraded, restored and scored."""
