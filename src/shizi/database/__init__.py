"""The one place where jobs and corrections are kept: a file of SQLite, or PostgreSQL when it is configured."""
