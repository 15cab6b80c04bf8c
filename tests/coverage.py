#!/usr/bin/env python3
"""What the tests reach of ../synergy.h: coverage.py FOLDER [--list] [--lines L] [--branches B]

FOLDER holds test programs compiled with gcc --coverage that have run (make coverage). Every program compiles the
header by itself; a line or branch counts as reached where any program reaches it. Branches are those of the
machine code without optimisation: both outcomes of every jump, so `a && b` has four. Prints one row a section
(>>mark), the sum, and with --list what is left, by function. Exit 1 below the bounds."""
import argparse
import glob
import json
import os
import re
import subprocess
import sys


MACRO = re.compile(r"\s*(#define |SYNP_\w+\()")
CONDITION = re.compile(r"&&|\|\||[?!<:]|(?<!-)>|[=!]=|\b(if|while|for|switch|case|return)\b")


def marks(path):
    """(line, section) of the implementation, ascending."""
    found, begun = [], False
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        begun = begun or "= implementation =" in line
        mark = re.match(r"   >>(\w+)$", line.rstrip())
        if begun and mark:
            found.append((number, mark.group(1)))
    return found


def merge(folder, text):
    """Counts of lines and of (line, branch). A line that stands in several functions (an inlined one in each that
    calls it, as often as that calls it) has the same branches again and again: they are one. A line on which a macro
    writes whole functions counts as a line only: its branches are those of one text for many types, of which each
    type takes some. So does a line without a condition, such as a call: its branches are those of what is inlined
    there, which count where that is written."""
    lines, found, starts = {}, {}, {}
    data = sorted(glob.glob(os.path.join(folder, "*.gcda")))
    if not data:
        sys.exit("coverage: no *.gcda in " + folder)
    for name in data:
        out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", os.path.basename(name)],
                             cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        for part in out.decode().splitlines():
            for file in json.loads(part)["files"]:
                if os.path.basename(file["file"]) != "synergy.h":
                    continue
                for function in file["functions"]:
                    starts[function["start_line"]] = function["end_line"]
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[number] = lines.get(number, 0) + line["count"]
                    counts = [branch["count"] for branch in line["branches"]]
                    code = re.sub(r"/\*.*", "", text[number - 1])
                    if counts and CONDITION.search(code) and not MACRO.match(code):
                        found.setdefault(number, []).append(counts)
    # the head of a function that is inlined everywhere is in no code that runs
    for first, last in starts.items():
        if lines.get(first) == 0 and any(lines.get(k, 0) for k in range(first + 1, last + 1)):
            del lines[first]
    branches = {}
    for place, all_counts in found.items():
        code = re.sub(r"/\*.*", "", text[place - 1])
        told = 2 * len(re.findall(r"&&|\|\||\?|\b(?:if|while|for) *\(", code))
        least = min(len(counts) for counts in all_counts)
        if told and all(len(counts) % told == 0 for counts in all_counts):
            least = told
        for counts in all_counts:
            period = least if len(counts) % least == 0 else len(counts)
            for k, count in enumerate(counts):
                key = (place, k % period)
                branches[key] = branches.get(key, 0) + count
    return lines, branches


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("folder")
    ask.add_argument("--list", action="store_true")
    ask.add_argument("--lines", type=float, default=0)
    ask.add_argument("--branches", type=float, default=0)
    ask = ask.parse_args()
    header = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "synergy.h")
    text = open(header, encoding="utf-8").read().split("\n")
    lines, branches = merge(ask.folder, text)
    starts = marks(header)

    def section(number):
        name = "declarations"
        for at, mark in starts:
            if at > number:
                break
            name = mark
        return name

    table = {}
    for number, count in lines.items():
        row = table.setdefault(section(number), [0, 0, 0, 0])
        row[0] += 1
        row[1] += count > 0
    for (number, _), count in branches.items():
        row = table.setdefault(section(number), [0, 0, 0, 0])
        row[2] += 1
        row[3] += count > 0
    total = [sum(row[k] for row in table.values()) for k in range(4)]
    share = lambda part, whole: 100.0 * part / whole if whole else 100.0
    print("%-14s %7s %9s %9s %9s" % ("section", "lines", "reached", "branches", "reached"))
    for _, name in [(0, "declarations")] + starts:
        if name in table:
            a, b, c, d = table.pop(name)
            print("%-14s %7d %8.1f%% %9d %8.1f%%" % (name, a, share(b, a), c, share(d, c)))
    print("%-14s %7d %8.1f%% %9d %8.1f%%" % ("all", total[0], share(total[1], total[0]), total[2],
                                            share(total[3], total[2])))
    if ask.list:
        left = {}
        for number, count in lines.items():
            if not count:
                left.setdefault(number, "line")
        for (number, _), count in branches.items():
            if not count:
                left.setdefault(number, "branch")
        for number in sorted(left):
            print("%6d %-6s %s" % (number, left[number], text[number - 1].strip()))
    if share(total[1], total[0]) < ask.lines or share(total[3], total[2]) < ask.branches:
        sys.exit("coverage: below %g %% of lines or %g %% of branches" % (ask.lines, ask.branches))


if __name__ == "__main__":
    main()
