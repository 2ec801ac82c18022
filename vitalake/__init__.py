"""The pure core of Vitalake: from listed objects and bytes to typed tables.

Belongs here: what a recording, a table, a part and a verdict are, and the functions between them. Does not
belong here: Dagster, S3 clients, environment variables, the command line. A data scientist can import any of
it in a notebook.
"""
