"""The only package that talks to AWS: it turns an account into an Inventory."""
