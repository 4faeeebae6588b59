"""Units in other people's tools: spaCy, tables, the tokens of other models. docs/integrations.md shows each one.

Belongs here: one file a tool, imported only by who uses the tool. Imports `inference` and below; `cli` may import it.
Start with `tokens.py`.
"""
