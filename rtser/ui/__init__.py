"""What a person sees: tables and the live terminal view."""
