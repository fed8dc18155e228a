"""wa-audit: Lighthouse for AWS data pipelines."""

__version__ = "0.1.0"
