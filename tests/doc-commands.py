#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

"""Prints the commands of a manual, so that a test can run them.

usage: doc-commands.py MANUAL.rst

A command is a line that starts with a prompt like "host1# ", continued on the
next line if it ends with a backslash.  What follows up to the next command or
an empty line is its output.  For each command there is one line for a shell:

    doc_run NODE COMMAND OUTPUT

with an empty OUTPUT if the manual shows none.
"""

import re
import shlex
import sys


def commands(lines):
    """Yields (node, command, output) for each command in 'lines'."""
    lines = iter(lines)
    for line in lines:
        match = re.match(r"( *)([a-z]+[0-9]?)# (.*)", line)
        while match:
            indent, node, command = match.groups()
            while command.endswith("\\"):
                command += "\n" + next(lines)[len(indent):]
            output = []
            match = None
            for line in lines:
                if not line.strip():
                    break
                match = re.match(r"( *)([a-z]+[0-9]?)# (.*)", line)
                if match:
                    break
                output.append(line[len(indent):])
            yield node, command, "\n".join(output)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as manual:
        for command in commands(manual.read().splitlines()):
            print("doc_run", *(shlex.quote(word) for word in command))


if __name__ == "__main__":
    main()
