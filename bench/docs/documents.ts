/** What stands above the measured sections of each document. Figures are the affair of the sections. */
export const HEADS = {
	benchmarks: `# Benchmarks

Written by \`npm run bench:docs -- --data FOLDER\`, after \`npm run bench:setup\` (which installs and compiles the peers); every section names
its own command and machine. Engines take turns, a pass over the queries at a time, so that what else the machine does hits all of them
alike. On a shared machine two runs differ by a tenth and more: compare within one table. How the engine came to be as fast as it is, and
what was tried and did not pay, is in [performance-notes.md](performance-notes.md).`,

	"choosing-an-index": `# Choosing an index

Which kind, when, how much memory, and what recall comes of it. The tables are written by \`npm run bench:docs -- kinds --data FOLDER\`; run it
on your own machine to know what holds there, and \`nigh eval\` on your own vectors, which is what counts. [limits.md](limits.md) measures where
each kind hurts.

| kind | what it is | take it | leave it |
|---|---|---|---|
| \`flat\` | compares everything, by 7-bit codes with bounds: always exact | for small sets, and as the truth that others are measured by | where a scan takes longer than you have |
| \`hnsw\` | a graph over 7-bit codes; the vectors decide | as the default: nothing to train, and recall holds for queries unlike the base and for large k | where links cost too much memory, the build too much time, or filters leave few |
| \`ivf\` | cells around k-means centroids, scanned by 7-bit codes with bounds | for answers that are exact within the cells it looks into, and for l1, which only this one of the three knows | for queries unlike the base |
| \`ivfpq\` | cells of product codes, re-ranked by the vectors | where what is scanned should be small: a few bytes a vector | where training time or recall without re-ranking matter |
| \`ivfrabitq\` | cells of RaBitQ codes whose error bound says what to look at again | where build time matters: its codes need no training, and no depth of re-ranking has to be chosen | for dimensions that are just above a multiple of 64, to which codes are filled up |

In a database, \`index: "auto"\` compares everything until there are some thousands of vectors and then builds a graph; the inverted files are
for who says so: \`index: { kind: "ivfpq" }\`, or \`nigh convert COLLECTION ivfpq\`; or for who sets a cap, \`memory: { maxMB }\`, under which \`auto\` takes
the quickest that fits.

**Memory.** Candidates are ranked again by the exact vectors, which are in memory unless an index of cells has \`storage: "disk"\`: then searches
read those of their candidates from files, and recall is the same ([sets larger than memory](benchmarks.md#sets-larger-than-memory)). Where they are in
memory, what a kind saves is what stands *beside* them.
A compression figure that counts code bytes only leaves out ids, centroids, codebooks, links, blocks that are not full, and the vectors.
\`nigh estimate --n N --dimensions D --index KIND\` tells all of it before anything is built (\`estimateMemory\` in \`@nigh/index\`), and
\`memory()\` what has become of it. A collection lives in one WebAssembly memory, which ends at 4 GiB; the estimate says how many vectors that is.

**Recall.** \`ef\` of a graph and \`nprobe\` of cells trade recall for time, nearly in proportion; \`rerank\` puts right what coarse codes misjudge,
but cannot find what no probed cell holds. Recall rises with nprobe, and with all cells and all candidates the answer is exact. Ask with
queries as they will come: vectors of the base find themselves too easily.

**Cells.** \`nlist\` defaults to one cell for 39 vectors, at most twice the square root of the capacity. Train on vectors like those to come, compact after a
bulk load, and train again when \`health()\` says so.

**Profiles.** \`memory\`, \`accuracy\` and \`speed\` are the settings that a colour engine used for its 1,152-dimensional histograms (M 8, 16 and 4; bits 8, 8
and 6); they are here to be compared with. Where M does not divide the dimensions, the tables take the next larger number that does. The
default of \`ivfpq\` (codes of 4 bits, along principal axes) is a different trade: larger codes that are scanned in registers.`,

	limits: `# Limits

Where each kind of index hurts, measured on generated data that is made to hurt: written by \`npm run bench:docs -- limits --data FOLDER\`. Words
that follow from the construction stand beside the tables; how much it matters is in the figures. [choosing-an-index.md](choosing-an-index.md) has the
figures on data as it comes.

- Every index lives in one WebAssembly memory, which ends at 4 GiB, and its exact vectors with it, unless an index of cells has \`storage: "disk"\`:
  \`nigh estimate\` says how many that is.
- Vectors on disk are read for every comparison: exact searches, and those with a filter of few matches, read all that they compare.
- Cells and codes have to be trained before the first insert; a database compares everything until there are enough vectors to train on.
- Cells are means, so there are none of bits, and none for a metric of your own.
- An answer of cells is exact about distances (unless \`rerank\` is 0), never about completeness: a neighbour in a cell that was not looked into is
  missed, however large k or rerank are.
- \`budget\` bounds what a search scans only to the end of a cell.
- Recall that was measured at one k, for one sort of query, without a filter, says little of another: each of them is a table below.`,
} as const;

export type DocumentName = keyof typeof HEADS;
