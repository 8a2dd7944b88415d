"""The compiled part. Nothing in here is for applications."""
