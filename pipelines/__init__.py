"""The verbs and the command line: rows in, rows out.

    recipe -> sources -> index -> plan -> render -> select -> export

`engine` is the only module that imports ray; `cell` and `guard` keep one bad input from costing more than itself.
"""
