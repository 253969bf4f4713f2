"""Images: their files, datasets, metrics, baselines, and their restoration."""
