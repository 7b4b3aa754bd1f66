# Faiss behind the protocol of protocol.ts, from Debian's python3-faiss: a generic build without AVX2 or AVX-512. Arguments: the kind of
# index (one of KINDS), then those of the protocol.
import json
import math
import sys
import time

import faiss
import numpy


def normalised(rows):
    lengths = numpy.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / numpy.where(lengths > 0, lengths, 1)


def blas():
    """The library that trains: Debian's package takes whichever there is, and they differ by far more than their names."""
    with open("/proc/self/maps") as maps:
        files = {line.split("/")[-1].strip() for line in maps if "/" in line}
    return " ".join(sorted(file for file in files if "blas" in file)) or "BLAS unknown"


def cells(n, per_root):
    """So many cells for the square root of n, to the nearest power of two, of at least the 39 rows that Faiss asks for to train one."""
    return max(1, min(2 ** round(math.log2(per_root * math.sqrt(n))), n // 39))


def sub_quantisers(dimensions, wanted):
    """The divisor of the dimensions that is nearest to the number wanted: all sub-quantisers of Faiss are of one width."""
    divisors = [m for m in range(1, dimensions + 1) if dimensions % m == 0]
    return min(divisors, key=lambda m: abs(math.log(m / wanted)))


# What `index_factory` makes, by kind; each of n, dimensions and M. Chosen by hand for this build, from a pass or two over 200 to 300
# queries of fashion-mnist-784 and squad-sif-300d on a machine that was not quiet: near the best of what follows, not proven to be it.
# - Cells, about 1, 4 and 8 for each of sqrt(n): 4 for vectors; 1 for codes, whose scan is so cheap that finding the cells is most of it.
#   A graph over the centroids (IVF1024_HNSW32) showed no clear gain.
# - Sub-quantisers, one for 4, 6, 7 or 14 dimensions with 8 bits and for 2, 4 or 7 with 4: one for 4, of 8 bits at most the 112 tried.
# - "np": the codes are not put in an order for the Hamming distance, which takes minutes and is not used.
KINDS = {
    "hnsw": lambda n, dimensions, M: f"HNSW{M},Flat",
    "ivfflat": lambda n, dimensions, M: f"IVF{cells(n, 4)},Flat",
    "ivfpq": lambda n, dimensions, M: f"IVF{cells(n, 1)},PQ{sub_quantisers(dimensions, min(dimensions / 4, 112))}x8np,RFlat",
    "ivfpqfs": lambda n, dimensions, M: f"IVF{cells(n, 1)},PQ{sub_quantisers(dimensions, dimensions / 4)}x4fs,RFlat",
}


class Engine:
    """An index and what is turned in it."""

    def __init__(self, factory, dimensions, cosine, k):
        metric = faiss.METRIC_INNER_PRODUCT if cosine else faiss.METRIC_L2
        self.factory, self.cosine, self.k = factory, cosine, k
        # Kept: the views below do not keep what they look at.
        self.whole = faiss.index_factory(dimensions, factory, metric)
        self.index = faiss.downcast_index(self.whole)
        self.refines = isinstance(self.index, faiss.IndexRefine)
        self.base = faiss.downcast_index(self.index.base_index) if self.refines else self.index

    def build(self, rows, ef_construction):
        start = time.perf_counter()
        if hasattr(self.base, "hnsw"):
            self.base.hnsw.efConstruction = ef_construction
        prepared = normalised(rows) if self.cosine else rows
        self.index.train(prepared)
        self.index.add(prepared)
        seconds = time.perf_counter() - start
        # As Faiss writes it: vectors, codes, links, centroids and code books.
        size = faiss.serialize_index(self.index).nbytes
        compiled = faiss.get_compile_options().strip()
        version = f"Faiss {faiss.__version__} of Debian's python3-faiss ({compiled}), {blas()}, {self.factory}"
        return {"seconds": seconds, "bytes": size, "version": version}

    def prepare(self, setting):
        for name, value in setting.items():
            if name == "ef":
                self.base.hnsw.efSearch = value
            elif name == "nprobe":
                self.base.nprobe = value
            elif name == "rerank" and self.refines:
                # It takes the whole part of k times the factor, a float32; half a candidate more is in no danger of the next one below.
                self.index.k_factor = (value + 0.5) / self.k
            else:
                raise ValueError(f"{self.factory} has no {name}")

    def search(self, queries, out):
        k, index, cosine = self.k, self.index, self.cosine
        labels = numpy.full((len(queries), k), -1, dtype=numpy.int32)
        times = numpy.empty(len(queries), dtype=numpy.float32)
        start = before = time.perf_counter()
        for at in range(len(queries)):
            query = queries[at : at + 1]
            labels[at] = index.search(normalised(query) if cosine else query, k)[1][0]
            after = time.perf_counter()
            times[at] = (after - before) * 1e6
            before = after
        with open(out, "wb") as file:
            labels.tofile(file)
            times.tofile(file)
        return {"seconds": before - start}


def parse_setting(word):
    return {} if word == "-" else {name: int(value) for name, value in (each.split("=") for each in word.split(","))}


def main(kind, base_path, n, dimensions, queries_path, count, metric, M, ef_construction, k):
    faiss.omp_set_num_threads(1)
    n, dimensions = int(n), int(dimensions)
    queries = numpy.fromfile(queries_path, dtype="<f4").reshape(int(count), dimensions)
    engine = Engine(KINDS[kind](n, dimensions, int(M)), dimensions, metric == "cosine", int(k))
    built = False
    for line in sys.stdin:
        words = line.split()
        if words == ["build"]:
            rows = numpy.fromfile(base_path, dtype="<f4").reshape(n, dimensions)
            answer, built = engine.build(rows, int(ef_construction)), True
        elif len(words) == 4 and words[0] == "search" and built:
            engine.prepare(parse_setting(words[1]))
            answer = engine.search(queries[: int(words[2])], words[3])
        else:
            answer = {"error": f"no such line, or not built yet: {line.strip()}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 11 or sys.argv[1] not in KINDS:
        sys.exit(f"usage: {'|'.join(KINDS)} BASE N DIMENSIONS QUERIES COUNT l2|cosine M EF_CONSTRUCTION K")
    try:
        main(*sys.argv[1:])
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(1)
