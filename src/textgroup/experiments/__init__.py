"""What plans, trains and compares: the demo, and generated scenes as its data.

Belongs here: whatever trains several models to set them side by side. Imports training and below; cli and the
benchmarks import it. Start with `demo.py`.
"""
