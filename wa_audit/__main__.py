"""`python -m wa_audit`."""

from wa_audit.cli import main

main()
