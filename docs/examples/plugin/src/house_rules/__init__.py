"""Our own rules for wa-audit."""
