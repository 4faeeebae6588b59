"""What people look at: terminal output, Markdown tables, figures and HTML pages.

Belongs here: how a thing is shown, never what is measured. Imports `units` and `files`; everything above may import it.
Start with `terminal.py`.
"""
