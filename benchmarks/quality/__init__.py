"""How right the verdicts and the R peaks are, against public annotations and beside other programs.

Belongs here: the accuracy report. Does not belong here: speed of the pipeline as a whole (`benchmarks/`).
"""
