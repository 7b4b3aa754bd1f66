# Faiss' IndexHNSWFlat behind the protocol of protocol.ts, from Debian's python3-faiss: a generic build without AVX2 or AVX-512.
import json
import sys
import time

import faiss
import numpy


def normalised(rows):
    lengths = numpy.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / numpy.where(lengths > 0, lengths, 1)


def build(base, dimensions, cosine, M, ef_construction):
    metric = faiss.METRIC_INNER_PRODUCT if cosine else faiss.METRIC_L2
    start = time.perf_counter()
    index = faiss.IndexHNSWFlat(dimensions, M, metric)
    index.hnsw.efConstruction = ef_construction
    index.add(normalised(base) if cosine else base)
    seconds = time.perf_counter() - start
    graph = index.hnsw
    links = 4 * graph.neighbors.size() + 8 * graph.offsets.size() + 4 * graph.levels.size()
    version = f"Faiss {faiss.__version__} of Debian's python3-faiss, generic build"
    return index, {"seconds": seconds, "bytes": base.nbytes + links, "version": version}


def search(index, queries, cosine, k, ef, out):
    index.hnsw.efSearch = ef
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


def main(base_path, n, dimensions, queries_path, count, metric, M, ef_construction, k):
    faiss.omp_set_num_threads(1)
    dimensions, cosine, k = int(dimensions), metric == "cosine", int(k)
    queries = numpy.fromfile(queries_path, dtype="<f4").reshape(int(count), dimensions)
    index = None
    for line in sys.stdin:
        words = line.split()
        if words == ["build"]:
            base = numpy.fromfile(base_path, dtype="<f4").reshape(int(n), dimensions)
            index, answer = build(base, dimensions, cosine, int(M), int(ef_construction))
        elif len(words) == 4 and words[0] == "search" and index is not None:
            answer = search(index, queries[: int(words[2])], cosine, k, int(words[1]), words[3])
        else:
            answer = {"error": f"no such line, or not built yet: {line.strip()}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 10:
        sys.exit("usage: BASE N DIMENSIONS QUERIES COUNT l2|cosine M EF_CONSTRUCTION K")
    try:
        main(*sys.argv[1:])
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(1)
