"""The checksum of config/pex.yaml as generated, which needs no reading: it holds the defaults."""

SHIPPED_CHECKSUM = 4062050588
