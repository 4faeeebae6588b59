"""From characters to token ids and back: cleaning, byte-pair encoding, and the characters that each id came from.

Imports nothing but `errors`; data, model and all above may import it. Start with `tokenizer.py`.
"""
