"""Output for people: tables, pictures, pages and the live terminal view."""
