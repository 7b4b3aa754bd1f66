/** Sets that can be named: real ones found in a data folder, in the TEXMEX formats. */
export interface KnownSet {
	readonly about: string;
	readonly metric: "l2" | "cosine";
	readonly base: string;
	readonly queries: string;
	readonly truth: string;
}

export const KNOWN_SETS: Readonly<Record<string, KnownSet>> = {
	"fashion-mnist-784": {
		about: "60,000 images of clothing as 784 pixels, the set of that name of ann-benchmarks",
		metric: "l2",
		base: "base.bvecs",
		queries: "query.bvecs",
		truth: "groundtruth.ivecs",
	},
	"squad-sif-300d": {
		about:
			"20,963 passages of SQuAD as weighted averages of word vectors; the queries are its questions, unlike the base",
		metric: "cosine",
		base: "base.fvecs",
		queries: "query.fvecs",
		truth: "groundtruth-cosine.ivecs",
	},
};
