// hnswlib in C++ behind the protocol of protocol.ts. Compiled by setup.ts with -O3 -march=native against Debian's libhnswlib-dev.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <hnswlib/hnswlib.h>
#include <memory>
#include <string>
#include <vector>

using Clock = std::chrono::steady_clock;

static double secondsSince(Clock::time_point start) {
	return std::chrono::duration<double>(Clock::now() - start).count();
}

static std::vector<float> readFloats(const char* path, size_t count) {
	std::vector<float> values(count);
	FILE* file = fopen(path, "rb");
	if (file == nullptr || fread(values.data(), 4, count, file) != count) {
		printf("{\"error\": \"cannot read %s\"}\n", path);
		exit(1);
	}
	fclose(file);
	return values;
}

// What hnswlib's users do for cosine: rows of length 1 under the inner product.
static void normalise(float* row, size_t dimensions) {
	double sum = 0;
	for (size_t d = 0; d < dimensions; d++) sum += double(row[d]) * row[d];
	const float scale = sum > 0 ? float(1 / std::sqrt(sum)) : 0;
	for (size_t d = 0; d < dimensions; d++) row[d] *= scale;
}

int main(int argc, char** argv) {
	if (argc < 10) {
		fprintf(stderr, "usage: BASE N DIMENSIONS QUERIES COUNT l2|cosine M EF_CONSTRUCTION K\n");
		return 2;
	}
	const size_t n = strtoull(argv[2], nullptr, 10), dimensions = strtoull(argv[3], nullptr, 10);
	const size_t count = strtoull(argv[5], nullptr, 10), k = strtoull(argv[9], nullptr, 10);
	const bool cosine = strcmp(argv[6], "cosine") == 0;
	const size_t M = strtoull(argv[7], nullptr, 10), efConstruction = strtoull(argv[8], nullptr, 10);
	std::vector<float> queries = readFloats(argv[4], count * dimensions);

	std::unique_ptr<hnswlib::SpaceInterface<float>> space;
	if (cosine) space.reset(new hnswlib::InnerProductSpace(dimensions));
	else space.reset(new hnswlib::L2Space(dimensions));
	std::unique_ptr<hnswlib::HierarchicalNSW<float>> index;

	char line[4096];
	while (fgets(line, sizeof line, stdin) != nullptr) {
		char out[4000];
		size_t ef, asked;
		if (strncmp(line, "build", 5) == 0) {
			std::vector<float> base = readFloats(argv[1], n * dimensions);
			const auto start = Clock::now();
			index.reset(new hnswlib::HierarchicalNSW<float>(space.get(), n, M, efConstruction));
			for (size_t i = 0; i < n; i++) {
				if (cosine) normalise(&base[i * dimensions], dimensions);
				index->addPoint(&base[i * dimensions], i);
			}
			const double seconds = secondsSince(start);
			size_t bytes = n * index->size_data_per_element_;
			for (size_t i = 0; i < n; i++) bytes += size_t(index->element_levels_[i]) * index->size_links_per_element_;
			printf("{\"seconds\": %.6f, \"bytes\": %zu, \"version\": \"hnswlib " HNSWLIB_BUILD "\"}\n", seconds, bytes);
		} else if (sscanf(line, "search ef=%zu %zu %3999s", &ef, &asked, out) == 3 && index && asked <= count) {
			index->setEf(ef);
			std::vector<int32_t> labels(asked * k, -1);
			std::vector<float> times(asked), row(dimensions);
			const auto start = Clock::now();
			auto before = start;
			for (size_t i = 0; i < asked; i++) {
				const float* query = &queries[i * dimensions];
				if (cosine) {
					memcpy(row.data(), query, 4 * dimensions);
					normalise(row.data(), dimensions);
					query = row.data();
				}
				auto found = index->searchKnn(query, k);
				for (size_t rank = found.size(); rank-- > 0; found.pop()) labels[i * k + rank] = int32_t(found.top().second);
				const auto after = Clock::now();
				times[i] = float(std::chrono::duration<double>(after - before).count() * 1e6);
				before = after;
			}
			const double seconds = std::chrono::duration<double>(before - start).count();
			FILE* file = fopen(out, "wb");
			if (file == nullptr) {
				printf("{\"error\": \"cannot write %s\"}\n", out);
				return 1;
			}
			fwrite(labels.data(), 4, labels.size(), file);
			fwrite(times.data(), 4, times.size(), file);
			fclose(file);
			printf("{\"seconds\": %.6f}\n", seconds);
		} else {
			printf("{\"error\": \"no such line, or not built yet: %s\"}\n", strtok(line, "\n"));
		}
		fflush(stdout);
	}
}
