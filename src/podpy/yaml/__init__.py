"""YAML → values with their positions, for all readers of such files.

load.load(data, file) -> documents    Mapping, Sequence, str, and Plain for scalars without quotes
places                                these classes, and the errors that name a place in a file
scalars.resolve(plain)                what a scalar without quotes means; text_of: the text of that

Raises UsageError: one line, "FILE:LINE: FIELD: what is wrong".
"""
