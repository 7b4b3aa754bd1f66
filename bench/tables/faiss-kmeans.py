# Faiss' k-means on one thread, from Debian's python3-faiss: a generic build without AVX2 or AVX-512, its products by the system's BLAS.
import json
import sys

import faiss
import numpy


def main(path, n, dimensions, k, iterations):
    faiss.omp_set_num_threads(1)
    n, dimensions, k = int(n), int(dimensions), int(k)
    points = numpy.fromfile(path, dtype="<f4").reshape(n, dimensions)
    training = faiss.Kmeans(dimensions, k, niter=int(iterations), seed=1, max_points_per_centroid=n)
    training.train(points)
    stats = training.iteration_stats
    # Times are counted from the start of the training; the first iteration holds what precedes it.
    assigned = [each["time_search"] for each in stats]
    print(json.dumps({
        "version": faiss.__version__,
        "iterationSeconds": [b["time"] - a["time"] for a, b in zip(stats, stats[1:])],
        "assignSeconds": [b - a for a, b in zip(assigned, assigned[1:])],
        "inertia": stats[-1]["obj"],
    }))


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit("usage: POINTS N DIMENSIONS K ITERATIONS")
    main(*sys.argv[1:])
