import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { METRICS, type Metric } from "@nigh/contract";
import { refusal } from "../refusal.test-support.ts";
import { CHEBYSHEV } from "../vectors.test-support.ts";
import {
	boundedDepth,
	defaultNprobe,
	defaultRerank,
	IVF_BOUNDS,
	IVF_KINDS,
	IVF_NAMES,
	type IvfKind,
	PQ_BITS,
	PQ_PROFILES,
	resolveIvfParameters,
} from "./parameters.ts";

type Loose = Readonly<Record<string, unknown>>;

const resolve = (kind: IvfKind, options: Loose = {}, dimensions = 24, metric: Metric = "l2") =>
	resolveIvfParameters({ kind, dimensions, metric, ...options } as Parameters<typeof resolveIvfParameters>[0]);

/** The option that is refused, with its value. */
const refused = (kind: IvfKind, options: Loose, dimensions = 24, code = "INVALID_OPTION") =>
	refusal(code, () => resolve(kind, options, dimensions)).details;

const DEFAULTS = {
	nlist: "adaptive",
	nprobe: undefined,
	budget: undefined,
	rerank: undefined,
	M: undefined,
	bits: undefined,
	rotation: "none",
	residual: true,
	epsilon: undefined,
	storage: "memory",
	seed: 42,
	maxElements: undefined,
} as const;

describe("parameters of the inverted-file family", () => {
	test("every default, kind by kind", () => {
		assert.deepEqual(resolve("ivf"), { ...DEFAULTS, kind: "ivf" });
		assert.deepEqual(resolve("ivfpq"), { ...DEFAULTS, kind: "ivfpq", bits: 4 });
		assert.deepEqual(resolve("ivfrabitq"), { ...DEFAULTS, kind: "ivfrabitq", bits: 1, epsilon: 1.9 });
		for (const kind of IVF_KINDS) {
			const undefineds = Object.fromEntries(
				IVF_NAMES.filter((name) => name !== "kind").map((name) => [name, undefined]),
			);
			assert.deepEqual(resolve(kind, undefineds), resolve(kind));
		}
	});

	test("C-2: what is asked for is what is in force", () => {
		const ivf = { nlist: 30, nprobe: 30, budget: 5_000, seed: 0, maxElements: 9, rotation: "opq" } as const;
		assert.deepEqual(resolve("ivf", ivf), { ...DEFAULTS, kind: "ivf", ...ivf });
		const pq = { nlist: "chromatica", nprobe: 7, rerank: 0, M: 12, bits: 6, rotation: "opq", residual: false } as const;
		assert.deepEqual(resolve("ivfpq", pq), { ...DEFAULTS, kind: "ivfpq", ...pq });
		const rabitq = { nlist: 1, nprobe: 1, rerank: 200, bits: 8, epsilon: 3 } as const;
		assert.deepEqual(resolve("ivfrabitq", rabitq), { ...DEFAULTS, kind: "ivfrabitq", ...rabitq });
	});

	test("vectors are in memory or on disk, where there must be codes to scan", () => {
		for (const kind of IVF_KINDS) assert.equal(resolve(kind, { storage: "disk" }).storage, "disk");
		for (const storage of ["tape", "", null, true, "Disk"]) {
			const details = refused("ivf", { storage });
			assert.deepEqual([details.field, details.value], ["storage", storage]);
		}
		const l1 = refusal("UNSUPPORTED", () => resolve("ivf", { storage: "disk" }, 24, "l1"));
		assert.equal(l1.details.field, "storage");
		assert.match(l1.message, /nothing in memory to scan/);
	});

	test("RaBitQ candidates that are brought are never fewer than asked for", () => {
		for (let bits = 1; bits <= 8; bits++) {
			for (const k of [1, 10, 100, 1_000, 10_000]) {
				assert.ok(boundedDepth(k, bits) > k);
				if (bits > 1) assert.ok(boundedDepth(k, bits) <= boundedDepth(k, bits - 1), "finer codes need no more");
			}
		}
	});

	test("both ends of every bound are taken, what lies beyond is refused with field, value and bound", () => {
		const cases: [IvfKind, string, { readonly min: number; readonly max: number }][] = [
			["ivf", "nlist", IVF_BOUNDS.nlist],
			["ivf", "nprobe", IVF_BOUNDS.nprobe],
			["ivf", "budget", IVF_BOUNDS.budget],
			["ivf", "seed", IVF_BOUNDS.seed],
			["ivf", "maxElements", IVF_BOUNDS.maxElements],
			["ivfpq", "rerank", IVF_BOUNDS.rerank],
			["ivfpq", "M", { min: 1, max: 512 }],
			["ivfpq", "bits", PQ_BITS],
			["ivfrabitq", "rerank", IVF_BOUNDS.rerank],
			["ivfrabitq", "bits", IVF_BOUNDS.rabitqBits],
			["ivfrabitq", "epsilon", IVF_BOUNDS.epsilon],
		];
		for (const [kind, field, { min, max }] of cases) {
			const name = field as keyof ReturnType<typeof resolve>;
			for (const value of [min, max]) assert.equal(resolve(kind, { [field]: value }, 1_024)[name], value);
			const isBits = kind === "ivfpq" && field === "bits";
			for (const value of isBits ? [0, 17] : [min - 1, max + 1]) {
				const details = refused(kind, { [field]: value }, 1_024);
				assert.deepEqual([details.field, details.value], [field, value]);
				assert.ok(details.bound !== undefined, field);
			}
			for (const value of [Number.NaN, "4", {}, field === "epsilon" ? Number.POSITIVE_INFINITY : 1.5]) {
				assert.equal(refused(kind, { [field]: value }, 1_024).field, field, `${field} ${value}`);
			}
		}
	});

	test("C-2: M that does not divide the dimensions, or is larger than they are, is refused by name", () => {
		for (const [M, dimensions] of [
			[7, 24],
			[25, 24],
			[16, 300],
			[9, 1_152 + 1],
			[0, 24],
			[513, 1_026],
		] as const) {
			assert.equal(refused("ivfpq", { M }, dimensions).field, "M");
		}
		assert.match(refusal("INVALID_OPTION", () => resolve("ivfpq", { M: 7 })).message, /7.*24/);
		for (const M of [1, 2, 3, 4, 6, 8, 12, 24]) assert.equal(resolve("ivfpq", { M }).M, M);
	});

	test("C-2: bits 0 and 17 are no bits; 1 to 3 and 9 to 16 are understood and refused with the reason", () => {
		for (const bits of [0, 17]) assert.equal(refused("ivfpq", { bits }).field, "bits");
		for (const bits of [1, 2, 3, 9, 12, 16]) {
			const error = refusal("UNSUPPORTED", () => resolve("ivfpq", { bits }));
			assert.deepEqual([error.details.field, error.details.value], ["bits", bits]);
			assert.deepEqual(error.details.bound, PQ_BITS);
			assert.match(error.message, bits < 4 ? /larger M/ : /training/);
		}
		for (const bits of [4, 5, 6, 7, 8]) assert.equal(resolve("ivfpq", { bits }).bits, bits);
	});

	test("C-2: nprobe 0 or above nlist, and nlist 0, are refused by name", () => {
		for (const kind of IVF_KINDS) {
			assert.equal(refused(kind, { nprobe: 0 }).field, "nprobe");
			const details = refused(kind, { nlist: 20, nprobe: 21 });
			assert.equal(details.field, "nprobe");
			assert.equal((details.bound as { max: number }).max, 20);
			assert.equal(resolve(kind, { nlist: 20, nprobe: 20 }).nprobe, 20);
			for (const nlist of [0, -5]) assert.equal(refused(kind, { nlist }).field, "nlist");
			// How many cells a rule gives is not known before training.
			assert.equal(resolve(kind, { nlist: "adaptive", nprobe: 5_000 }).nprobe, 5_000);
		}
	});

	test("an option of another kind is refused by name, with the kinds it belongs to", () => {
		const foreign: Readonly<Record<IvfKind, Loose>> = {
			ivf: { M: 8, bits: 4, residual: true, profile: "memory", epsilon: 2, rerank: 10 },
			ivfpq: { epsilon: 2 },
			ivfrabitq: { M: 8, residual: true, profile: "memory", rotation: "opq" },
		};
		for (const kind of IVF_KINDS) {
			for (const [name, value] of Object.entries(foreign[kind])) {
				const error = refusal("INVALID_OPTION", () => resolve(kind, { [name]: value }));
				assert.equal(error.details.field, name);
				assert.match(error.message, /ivfpq|ivfrabitq|ivf/);
			}
		}
	});

	test("C-7: the three profiles by name, and a single setting beside one wins", () => {
		assert.deepEqual(PQ_PROFILES, {
			memory: { M: 8, bits: 8, nlist: 100, nprobe: 10 },
			accuracy: { M: 16, bits: 8, nlist: 200, nprobe: 20 },
			speed: { M: 4, bits: 6, nlist: 50, nprobe: 5 },
		});
		for (const profile of Object.keys(PQ_PROFILES) as (keyof typeof PQ_PROFILES)[]) {
			const { M, bits, nlist, nprobe } = resolve("ivfpq", { profile }, 1_152);
			assert.deepEqual({ M, bits, nlist, nprobe }, PQ_PROFILES[profile]);
		}
		const beside = { M: 96, bits: 4, nlist: 64, nprobe: 3 };
		const { M, bits, nlist, nprobe } = resolve("ivfpq", { profile: "memory", ...beside }, 1_152);
		assert.deepEqual({ M, bits, nlist, nprobe }, beside);
		assert.equal(resolve("ivfpq", { profile: "memory", nlist: 4 }, 1_152).nprobe, 4);
		assert.equal(refused("ivfpq", { profile: "memory", nlist: 4, nprobe: 10 }, 1_152).field, "nprobe");
		assert.equal(refused("ivfpq", { profile: "memory" }, 300).field, "M");
		for (const profile of ["fast", "toString", 5, null]) {
			assert.equal(refused("ivfpq", { profile }, 1_152).field, "profile");
		}
	});

	test("names that are none, flags that are none", () => {
		for (const rotation of ["pca", "", 1, true]) assert.equal(refused("ivfpq", { rotation }).field, "rotation");
		const wide = { kind: "ivfpq", dimensions: 8_192, metric: "l2", rotation: "opq" } as const;
		const tooWide = refusal("UNSUPPORTED", () => resolveIvfParameters({ ...wide, M: 8 }));
		assert.equal(tooWide.details.field, "rotation");
		assert.equal(resolveIvfParameters(wide).rotation, "opq");
		assert.equal(resolveIvfParameters({ ...wide, M: 8, dimensions: 4_096 }).rotation, "opq");
		for (const residual of [0, "true", {}]) assert.equal(refused("ivfpq", { residual }).field, "residual");
		for (const kind of ["pq", "", undefined, 5]) assert.equal(refused(kind as IvfKind, {}).field, "kind");
	});

	test("metrics that cells cannot have are UNSUPPORTED, with the way out", () => {
		const allowed: Readonly<Record<IvfKind, readonly string[]>> = {
			ivf: ["l2", "cosine", "ip", "l1"],
			ivfpq: ["l2", "cosine", "ip"],
			ivfrabitq: ["l2", "cosine", "ip"],
		};
		for (const kind of IVF_KINDS) {
			for (const metric of [...METRICS, CHEBYSHEV]) {
				const call = () => resolve(kind, { metric });
				if (typeof metric === "string" && allowed[kind].includes(metric)) assert.equal(call().kind, kind);
				else {
					const error = refusal("UNSUPPORTED", call);
					assert.equal(error.details.field, "metric");
					assert.match(error.message, /HNSW/);
				}
			}
		}
	});

	test("rows are turned from 32 dimensions on, unless M is given, or the metric or the codes forbid it", () => {
		const turned = (kind: IvfKind, options: Loose, dimensions: number, metric: Metric = "l2") =>
			resolve(kind, options, dimensions, metric).rotation;
		for (const kind of ["ivf", "ivfpq"] as const) {
			assert.deepEqual([turned(kind, {}, 31), turned(kind, {}, 32)], ["none", "opq"]);
			assert.equal(turned(kind, { rotation: "auto" }, 32), "opq");
			assert.equal(turned(kind, { rotation: "none" }, 300), "none");
			assert.equal(turned(kind, { rotation: "opq" }, 2), "opq");
		}
		assert.equal(turned("ivfpq", { M: 8 }, 64), "none");
		assert.equal(turned("ivfpq", { M: 8, rotation: "opq" }, 64), "opq");
		assert.equal(turned("ivfrabitq", {}, 300), "none");
		assert.equal(turned("ivf", {}, 300, "l1"), "none");
		assert.equal(
			refusal("UNSUPPORTED", () => resolve("ivf", { rotation: "opq" }, 300, "l1")).details.field,
			"rotation",
		);
	});

	test("cells looked into by default: the square root of all, rounded up, at least one", () => {
		assert.deepEqual([1, 2, 4, 10, 100, 1_000, 1_000_000].map(defaultNprobe), [1, 2, 2, 4, 10, 32, 1_000]);
	});

	test("candidates ranked again by default: at least k, within the bound, more for coarser codes", () => {
		assert.deepEqual(
			[1, 10, 100].map((k) => defaultRerank(k, 2)),
			[51, 60, 600],
		);
		assert.deepEqual(
			[1, 10, 100].map((k) => defaultRerank(k, 0.2)),
			[191, 200, 2_000],
		);
		for (const bits of [0.01, 0.25, 8]) {
			for (const k of [1, 10, 4_000, 10_000]) {
				const depth = defaultRerank(k, bits);
				assert.ok(depth >= k && depth <= Math.max(k, IVF_BOUNDS.rerank.max), `${k}: ${depth}`);
			}
		}
	});
});
