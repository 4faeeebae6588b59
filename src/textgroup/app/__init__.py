"""The web page, `textgroup app`: a caption on a picture, its units linked to their regions. docs/app.md shows it.

Belongs here: what the page shows (`comparing.py`, `view.py`), what it takes (`given.py`), and gradio's part of it
(`page.py`, `serving.py`), which alone imports gradio. Imports experiments and below; `cli` imports it. Start with
`comparing.py`.
"""
