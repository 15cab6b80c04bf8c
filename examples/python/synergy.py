"""synergy.py - result folders of `synergy`, and PhiID of synergy.h, from Python. One file; needs numpy only.

    import synergy
    r = synergy.load("results")             # what `synergy analyze MODEL -o results` left
    r.norms.shape                           # (prompts, tokens, layers, units): arrays by their names
    r.units                                 # units.csv, a pandas DataFrame where pandas is there
    r.unit_of("units.csv", "synergy")       # 'nats'
    r.graph("synergy")                      # a networkx graph, weights in nats

    a = synergy.phiid(x, y)                 # two series: all 16 atoms, in nats
    a.synergy, a.redundancy, a["xtx"], a.flags
    p = synergy.pairs(norms, atoms=True)    # every pair of many series, over prompts
    p.synergy                               # (units, units)

`phiid` and `pairs` call a shared library, which `make -C tools lib` builds; `load` needs none.
"""
import csv
import ctypes
import ctypes.util
import json
import os
import re
import sys

import numpy

VERSION = 200  #: of synergy.h (0.2.0): a library of another one is refused

ATOMS = ("rtr", "rtx", "rty", "rts", "xtr", "xtx", "xty", "xts",
         "ytr", "ytx", "yty", "yts", "str", "stx", "sty", "sts")  #: the order of the last axis of atoms
INFORMATIONS = ("x_a", "x_b", "y_a", "y_b", "xy_a", "xy_b", "x_ab", "y_ab", "xy_ab")
REDUNDANCIES = ("mmi", "ccs")
ESTIMATORS = ("gaussian", "copula", "binary")
TRANSFORMS = ("none", "log")
#: bits of flags; 0 is a sound pair
FLAGS = {1: "BAD_TAU", 2: "TOO_SHORT", 4: "NONFINITE", 8: "CONSTANT", 16: "SINGULAR", 32: "INFINITE",
         64: "NOT_PSD", 128: "NOT_SYMMETRIC", 256: "NO_SAMPLES"}

TEXT_COLUMNS = {"unit", "source", "target", "score_name"}


# ---------------------------------------------------------------- result folders

def load(directory):
    """A result folder (of `synergy capture`, `phiid`, `analyze`, `ablate` ...) as a `Result`.

    Nothing is read before it is asked for. Errors: FileNotFoundError when it is no folder, ValueError when nothing
    in it was written by the program.
    """
    return Result(directory)


class Table(dict):
    """A CSV file without pandas: column name -> array (int64, float64 with NaN for empty cells, or str), in order."""

    @property
    def columns(self):
        return list(self)

    def __len__(self):
        return len(next(iter(self.values()))) if self.keys() else 0


class Result:
    """What lies in one result folder. Attributes are the files without their endings:

    norms       float32 (prompt, token, layer, unit): the norm of each unit's output; also sinks, tokens, lengths
    synergy     float64 (unit, unit), nats, zero diagonal; also redundancy, synergy_q, atoms, flags ...
    units       units.csv, a row a unit; also profile, pairs, ablation, perturb ... (DataFrame, or `Table` without pandas)
    run         run.json, a dict: model, settings, prompts; also phiid ...
    topology    graph.json, a dict (`graph` is the method that makes a network)

    `r["figures/map-excess.csv"]` reads any file by its name. Arrays are read-only views of the files (numpy.memmap).
    Errors: AttributeError or KeyError names a file that is not there, ValueError one that is damaged.
    """

    def __init__(self, directory):
        self.path = os.fspath(directory)
        if not os.path.isdir(self.path):
            raise FileNotFoundError(f"{self.path} is not a folder")
        self._read = {}
        self.files = sorted(
            os.path.relpath(os.path.join(root, name), self.path).replace(os.sep, "/")
            for root, _, names in os.walk(self.path) for name in names)
        if not {"phiid.json", "run.json", "norms.npy", "graph.json"} & set(self.files):
            raise ValueError(f"{self.path} is no result folder of synergy: it has no run.json and no phiid.json")

    def __repr__(self):
        return f"synergy.load({self.path!r}): {', '.join(f for f in self.files if '/' not in f)}"

    def __dir__(self):
        return sorted(set(super().__dir__()) | {_attribute(f) for f in self.files if "/" not in f})

    def __getattr__(self, name):
        if name.startswith("_") or "files" not in self.__dict__:
            raise AttributeError(name)
        for file in self.files:
            if "/" not in file and _attribute(file) == name:
                return self[file]
        raise AttributeError(f"{self.path} has no {name}: there are {', '.join(self.files)}")

    def __getitem__(self, file):
        if file not in self._read:
            if file not in self.files:
                raise KeyError(f"{self.path} has no {file}: there are {', '.join(self.files)}")
            self._read[file] = _read(os.path.join(self.path, file))
        return self._read[file]

    def __contains__(self, file):
        return file in self.files

    @property
    def arrays(self):
        """Every .npy of the folder by its name without ending; estimators/NAME is a folder to load by itself."""
        return {f[:-4]: self[f] for f in self.files if f.endswith(".npy") and "/" not in f}

    @property
    def tables(self):
        """Every .csv of the folder (not of figures/) by its name without ending."""
        return {f[:-4]: self[f] for f in self.files if f.endswith(".csv") and "/" not in f}

    @property
    def names(self):
        """The names of the units, in the order of the rows of units.csv and of the matrices: L12H3, L1E40, or a
        table's own."""
        if "units.csv" in self.files:
            return [str(n) for n in self["units.csv"]["unit"]]
        settings, shape = self["run.json"]["settings"], self["norms.npy"].shape
        letter = "E" if settings.get("units") == "experts" else "H"
        first = settings.get("first_layer", 0)
        return [f"L{first + layer}{letter}{unit}" for layer in range(shape[2]) for unit in range(shape[3])]

    def describe(self, file, column=None):
        """What a file or a column of it means, in words (from columns.json)."""
        return self._told(file, column)["Description"]

    def unit_of(self, file, column=None):
        """The unit of measurement of an array or of a table's column: 'nats', 'rank', '' where it has none."""
        return self._told(file, column).get("Units", "")

    def _told(self, file, column):
        told = self["columns.json"]
        if file not in told:
            raise KeyError(f"columns.json of {self.path} tells nothing of {file}")
        if column is None:
            return told[file]
        columns = told[file].get("Columns", {})
        if column not in columns:
            raise KeyError(f"{file} has no column {column}: there are {', '.join(columns)}")
        return columns[column]

    def profile_of(self, score=None):
        """depth, mean, low, high of a score over layers: arrays (layer). score None is the folder's own; names are those
        of profile.csv (rank-difference, difference, balance, synergy, redundancy, excess). low and high are the ends of
        95 % intervals, NaN where there are none."""
        table = self["profile.csv"]
        names = numpy.asarray(table["score_name"])
        score = names[0] if score is None else score
        rows = names == score
        if not rows.any():
            raise ValueError(f"profile.csv has no score {score}: there are {', '.join(dict.fromkeys(names))}")
        return tuple(numpy.asarray(table[c], float)[rows] for c in ("depth", "mean", "low", "high"))

    def edges(self, matrix="synergy", keep=1.0):
        """i, j, weight of the strongest pairs of a matrix, a share `keep` (0 to 1) of all, strongest first; i < j."""
        if not 0 <= keep <= 1:
            raise ValueError(f"keep is {keep}: a share of all pairs lies between 0 and 1")
        weights = numpy.asarray(self[matrix + ".npy"])
        if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
            raise ValueError(f"{matrix}.npy is no matrix of pairs: {weights.shape}")
        i, j = numpy.triu_indices(len(weights), 1)
        w = weights[i, j]
        order = numpy.argsort(-w, kind="stable")
        order = order[~numpy.isnan(w[order])][:int(round(keep * len(w)))]
        return i[order], j[order], w[order]

    def graph(self, matrix="synergy", keep=1.0):
        """A networkx.Graph of a matrix: nodes are unit names with `layer` and `index`, edges have `weight` in nats; only
        the strongest share `keep` of all pairs. Errors: ImportError where networkx is missing (`edges` needs none)."""
        try:
            import networkx
        except ImportError:
            raise ImportError("graph() needs networkx (pip install networkx); edges() gives arrays without it") from None
        g = networkx.Graph(name=f"{matrix} of {self.path}")
        units, names = self["units.csv"], self.names
        for name, layer, index in zip(names, units["layer"], units["index"]):
            g.add_node(name, layer=int(layer), index=int(index))
        for i, j, w in zip(*self.edges(matrix, keep)):
            g.add_edge(names[i], names[j], weight=float(w))
        return g


def _attribute(file):
    stem = "topology" if file == "graph.json" else os.path.splitext(file)[0]
    return "".join(c if c.isalnum() else "_" for c in stem)


def _read(path):
    if path.endswith(".npy"):
        try:
            return numpy.load(path, mmap_mode="r")
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    if path.endswith(".csv"):
        return _read_table(path)
    with open(path, encoding="utf-8") as file:
        if path.endswith(".json"):
            try:
                return json.load(file)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
        return file.read()


def _column(name, cells):
    if name not in TEXT_COLUMNS:
        try:
            return numpy.array([int(c) for c in cells], dtype=numpy.int64)
        except (ValueError, OverflowError):
            pass
        try:
            return numpy.array([float(c) if c else numpy.nan for c in cells])
        except ValueError:
            pass
    # a text that a spreadsheet would take for a formula has an apostrophe before it
    return numpy.array([re.sub(r"^'(?='*[=+\-@\t\r])", "", c) for c in cells], dtype=object)


def _read_table(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows or any(len(r) != len(rows[0]) for r in rows):
        raise ValueError(f"{path}: empty, or a row has another number of cells than the header")
    table = Table((name, _column(name, [r[k] for r in rows[1:]])) for k, name in enumerate(rows[0]))
    try:
        import pandas
    except ImportError:
        return table
    return pandas.DataFrame(dict(table))


# ---------------------------------------------------------------- PhiID, through the shared library

class Atoms:
    """PhiID of two series, in nats.

    atoms         float64 (16,), the order of ATOMS: past-to-future, r both hold, x or y one, s only both together
    synergy       the atom sts        redundancy    the atom rtr        a["xty"]  any atom, or information, by name
    informations  dict of the nine mutual informations: 'x_a' is I(x_t ; x_t+tau), 'xy_ab' the whole
    bound         float64 (16,): how far rounding may have moved each atom; NaN where it is not known
    local         float64 (16, samples - tau): pointwise atoms whose mean is the atom; None unless asked for
    flags         0 when sound, else bits of FLAGS; flag_text names the gravest ('OK')
    """

    def __init__(self, atoms, informations, bound, local, flags, flag_text):
        self.atoms, self.informations, self.bound, self.local = atoms, informations, bound, local
        self.flags, self.flag_text = flags, flag_text
        self.synergy, self.redundancy = float(atoms[15]), float(atoms[0])

    def __getitem__(self, name):
        return self.informations[name] if name in self.informations else float(self.atoms[ATOMS.index(name)])

    def __repr__(self):
        return f"synergy {self.synergy:.6g} nats, redundancy {self.redundancy:.6g} nats, {self.flag_text}"


class Pairs:
    """PhiID of every pair of N series, in nats.

    synergy, redundancy  float64 (N, N): means over prompts, symmetric, zero diagonal; NaN where no prompt is sound
    atoms                float64 (prompt, pair, 16), NaN where flagged; None unless asked for
    flags                uint8 (prompt, pair): 0 when sound, else bits of FLAGS; None unless asked for
    index                (i, j), two arrays (pair,): the units of each pair, (0,1), (0,2) ... (N-2,N-1)
    """

    def __init__(self, synergy, redundancy, atoms, flags):
        self.synergy, self.redundancy, self.atoms, self.flags = synergy, redundancy, atoms, flags
        self.index = numpy.triu_indices(len(synergy), 1)


def phiid(x, y, tau=1, redundancy="mmi", estimator="gaussian", transform="none", local=False, library=None):
    """PhiID of two series of equal length: an `Atoms`.

    x, y (sample,): any numbers, taken as float64; pasts and futures lie `tau` samples apart. redundancy 'mmi' or 'ccs';
    estimator 'gaussian', 'copula' or 'binary'; transform 'none' or 'log'; local=True adds pointwise atoms.
    What is wrong with the data is no error but a flag: look at `flags` (0 is sound).
    Errors: ValueError (shapes, unknown words, tau), OSError (no library), RuntimeError (a library of another version).
    """
    x, y = _series(x, 1, "x"), _series(y, 1, "y")
    if x.shape != y.shape:
        raise ValueError(f"x has {len(x)} samples and y {len(y)}")
    lib = _library(library)
    settings = _settings(tau, redundancy, estimator, transform)
    atoms, bound, informations = numpy.empty(16), numpy.empty(16), numpy.empty(9)
    points = numpy.full((16, len(x) - tau), numpy.nan) if local and 0 < tau < len(x) else None
    flags, error = ctypes.c_uint(0), ctypes.create_string_buffer(lib.error_bytes)
    code = lib.synergy_flat_phiid(_at(x), _at(y), len(x), settings, _at(atoms), _at(informations), _at(bound),
                                  _at(points), ctypes.byref(flags), error)
    _check(code, error)
    return Atoms(atoms, dict(zip(INFORMATIONS, map(float, informations))), bound, points, flags.value,
                 lib.synergy_flat_flags_text(flags.value).decode())


def pairs(array, tau=1, redundancy="mmi", estimator="gaussian", transform="none", lengths=None, atoms=False,
          threads=None, library=None):
    """PhiID of every pair of series: a `Pairs`.

    array  (sample, unit), (prompt, sample, unit) or (prompt, sample, layer, unit), as norms.npy; layers and units become
           one axis, layer after layer. NaN or infinity flags the pairs of that series.
    lengths (prompt,): how many samples of each prompt count (lengths.npy); None: all.
    atoms=True also keeps all 16 atoms and the flags of every pair and prompt: 129 bytes each.
    threads: None is every processor; results do not depend on it. Other words as for `phiid`.
    Errors: ValueError (shapes, words, too few samples), OSError (no library), RuntimeError (another version).
    """
    data = numpy.asarray(array)
    if data.ndim == 2:
        data = data[None]
    if data.ndim == 4:
        data = data.reshape(data.shape[0], data.shape[1], -1)
    data = _series(data, 3, "array")
    p, t, n = data.shape
    if p < 1 or t < 1 or n < 2:
        raise ValueError(f"{p} prompts of {t} samples of {n} units: at least one prompt, one sample and two units are needed")
    if lengths is not None:
        lengths = numpy.asarray(lengths)
        if lengths.shape != (p,) or not numpy.issubdtype(lengths.dtype, numpy.integer) or (lengths < 0).any():
            raise ValueError(f"lengths is not {p} whole numbers")
        lengths = numpy.ascontiguousarray(lengths, dtype=ctypes.c_size_t)
    lib = _library(library)
    settings = _settings(tau, redundancy, estimator, transform)
    synergy, redundant = numpy.empty((n, n)), numpy.empty((n, n))
    every = numpy.empty((p, n * (n - 1) // 2, 16)) if atoms else None
    flags = numpy.empty((p, n * (n - 1) // 2), dtype=numpy.uint8) if atoms else None
    error = ctypes.create_string_buffer(lib.error_bytes)
    threads = int(threads) if threads else os.cpu_count() or 1
    code = lib.synergy_flat_pairs(_at(data), _at(lengths), (ctypes.c_size_t * 3)(p, t, n), settings, threads,
                                  _at(synergy), _at(redundant), _at(every), _at(flags), error)
    _check(code, error)
    return Pairs(synergy, redundant, every, flags)


def _series(values, dimensions, name):
    values = numpy.asarray(values)
    if values.ndim != dimensions:
        raise ValueError(f"{name} has {values.ndim} dimensions, not {dimensions}")
    if values.dtype.kind not in "buif":
        raise ValueError(f"{name} holds no real numbers but {values.dtype}")
    return numpy.ascontiguousarray(values, dtype=numpy.float64)


def _number(word, words, name):
    if word not in words:
        raise ValueError(f"{name} {word!r} is not one of {', '.join(words)}")
    return words.index(word)


def _settings(tau, redundancy, estimator, transform):
    if int(tau) != tau or not 1 <= tau < 2**31:
        raise ValueError(f"tau {tau} is not a whole number from 1 on")
    return (ctypes.c_int * 4)(int(tau), _number(redundancy, REDUNDANCIES, "redundancy"),
                              _number(estimator, ESTIMATORS, "estimator"), _number(transform, TRANSFORMS, "transform"))


def _at(array):
    return None if array is None else array.ctypes.data_as(ctypes.c_void_p)


def _check(code, error):
    if code:
        raise ValueError(error.value.decode("utf-8", "replace"))


_libraries = {}


def _library(path):
    """The shared library: `path`, $SYNERGY_LIBRARY, beside this file, tools/build of the repository, or the system's."""
    path = os.fspath(path) if path is not None else os.environ.get("SYNERGY_LIBRARY") or _find()
    if path not in _libraries:
        lib = ctypes.CDLL(path)
        try:
            version = lib.synergy_flat_version
        except AttributeError:
            raise RuntimeError(f"{path} is no library that `make -C tools lib` built") from None
        sizes = (ctypes.c_int(0), ctypes.c_int(0), ctypes.c_int(0))
        version.restype = ctypes.c_int
        version.argtypes = [ctypes.c_void_p] * 3
        number = version(*(ctypes.byref(s) for s in sizes))
        atoms, informations, lib.error_bytes = (s.value for s in sizes)
        if number != VERSION or atoms != len(ATOMS) or informations != len(INFORMATIONS):
            raise RuntimeError(f"{path} is of version {_version(number)} and this file of {_version(VERSION)}: "
                               "build it again (make -C tools lib), or take the synergy.py beside it")
        pointer, size, whole = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        lib.synergy_flat_flags_text.restype = ctypes.c_char_p
        lib.synergy_flat_flags_text.argtypes = [ctypes.c_uint]
        lib.synergy_flat_phiid.argtypes = [pointer, pointer, size] + [pointer] * 7
        lib.synergy_flat_pairs.argtypes = [pointer] * 4 + [whole] + [pointer] * 5
        _libraries[path] = lib
    return _libraries[path]


def _version(number):
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def _find():
    here = os.path.dirname(os.path.abspath(__file__))
    name = {"darwin": "libsynergy.dylib", "win32": "synergy.dll"}.get(sys.platform, "libsynergy.so")
    for folder in (here, os.path.join(here, "..", "..", "tools", "build")):
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(path):
            return path
    path = ctypes.util.find_library("synergy")
    if path is None:
        raise OSError(f"{name} was not found: make -C tools lib, or set SYNERGY_LIBRARY to its path")
    return path
