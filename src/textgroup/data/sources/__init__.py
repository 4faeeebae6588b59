"""What people bring: tar shards, folders, tables (CSV, TSV, JSONL), plain text, Flickr30k Entities and its boxes.

Belongs here: reading a format into `Sample`s (key, captions, image), in constant memory, with a `Count` of what was
left out. Nobody above is imported. Start with `samples.py`, which says what each kind of source may hold.
"""
