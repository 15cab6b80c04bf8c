"""look_files.py DIR - opens every file of a result folder as another program would and compares it with
columns.json: nothing is left unexplained, columns and shapes are what is there, names stay apart."""
import glob
import json
import os
import sys

import networkx
import numpy
import pandas

NAMES = {"unit", "source", "target", "x", "y"}


def files_of(folder):
    found = [p for p in glob.glob(folder + "/*") + glob.glob(folder + "/figures/*") if os.path.isfile(p)]
    return {os.path.relpath(p, folder) for p in found} - {"columns.json"}


def look_table(path, told):
    table = pandas.read_csv(path)
    columns = list(table.columns)
    wide = "*" in told["Columns"]
    expected = [c for c in told["Columns"] if c != "*"]
    assert columns[:len(expected)] == expected and (wide or len(columns) == len(expected)), (path, columns, expected)
    for name, what in told["Columns"].items():
        assert what["Description"], (path, name)
    assert len(set(columns)) == len(columns), path
    for name in NAMES & set(columns):
        if pandas.api.types.is_numeric_dtype(table[name]):
            assert "line" in columns, f"{path}: {name} is read as {table[name].dtype}"
    if "unit" in columns:
        assert table["unit"].nunique() == len(table), f"{path}: {table['unit'].nunique()} names of {len(table)} units"
    return table


def look_array(path, told):
    array = numpy.load(path)
    assert list(array.shape) == told["Shape"] and str(array.dtype) == told["DataType"], path
    assert len(told["Dimensions"]) == array.ndim and told["Units"] and told["Description"], path
    if "Diagonal" in told:
        diagonal = numpy.diag(array)
        zero = told["Diagonal"].startswith("0")
        assert (diagonal == 0).all() if zero else numpy.isnan(diagonal).all(), path
        assert numpy.array_equal(array, array.T, equal_nan=True), path
    return array


def main(folder):
    told = json.load(open(folder + "/columns.json"))
    there = files_of(folder)
    assert set(told) == there, sorted(set(told) ^ there)
    table, array = {}, {}
    for name in sorted(there):
        path = os.path.join(folder, name)
        assert told[name]["Description"], name
        if name.endswith(".csv"):
            table[name] = look_table(path, told[name])
        elif name.endswith(".npy"):
            array[name] = look_array(path, told[name])
        elif name.endswith(".json"):
            json.load(open(path))
        elif name.endswith(".graphml"):
            graph = networkx.read_graphml(path)
            units = {node["unit"] for _, node in graph.nodes(data=True)}
            assert units == set(table["units.csv"]["unit"]) if "units.csv" in table else len(units) == len(graph), path
    if "units.csv" in table and "synergy.npy" in array:
        for name in ("synergy", "redundancy"):
            matrix = array[name + ".npy"].copy()
            numpy.fill_diagonal(matrix, numpy.nan)
            with numpy.errstate(all="ignore"):
                assert numpy.allclose(numpy.nanmean(matrix, axis=1), table["units.csv"][name], rtol=0.2, equal_nan=True), name
    if "units.csv" in table:
        names = set(table["units.csv"]["unit"])
        for name in table:
            for column in ("source", "target", "unit"):
                if column in table[name].columns:
                    assert set(table[name][column]) <= names, (name, column)


main(sys.argv[1])
