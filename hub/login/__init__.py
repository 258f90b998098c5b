"""Who may log in: accounts with passwords, a roster with one-time passwords, sign-up with approval."""
