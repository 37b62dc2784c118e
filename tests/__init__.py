"""The tests. Folders mirror the package; names are the sentences they prove."""
