"""Many files, on many machines: an engine schedules shards of them, and each file is restored as `burnish restore` does it."""
