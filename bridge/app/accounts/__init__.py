"""People at a node: their accounts, how they sign in, what their roles allow."""
