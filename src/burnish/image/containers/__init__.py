"""What image files carry beside their pixels, format by format, copied into another of the kind, byte for byte where that is right.

Each module has a `carry(source, pixels, target)`: `source` is the file that was read, `pixels` an open one of the same format that holds
the new pixels and nothing else, `target` becomes the new pixels with all else of the source. It returns what the target lacks, in words.
`dress` gives new pixels what comes from a file of another format, and `others` names what such a file cannot take.
"""
