// What goes over numbers rather than rows: the pool of the k nearest, eligibility, the checksum.
import { ELIGIBILITY } from "@nigh/kernels";
import { CHUNK_ROWS } from "./float-cases.ts";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { LABEL_BYTES, type Workbench } from "./workbench.ts";

const KIB = 1_024;

function topk(bench: Workbench, k: number, place: Place): OpenCase {
	const { kernels, readLoop, region: keys } = bench;
	// Of ids it reads only those of the few keys that enter the pool: the working set is the keys, and the same words serve as ids.
	const ids = keys;
	const pool = bench.alloc(8 * k);
	return {
		items: Math.floor(workingSet(bench, place) / 4),
		bytesPerItem: 4,
		run(from, count) {
			let size = 0;
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				const at = 4 * (from + i);
				size = kernels.topk(keys + at, ids + at, Math.min(CHUNK_ROWS, count - i), k, pool, size, 0);
			}
		},
		read(from, count) {
			readLoop.readRange(keys + 4 * from, 4 * (count & ~3));
		},
	};
}

/** A topk whose every label is refused: what is left is the test itself. */
function eligibility(bench: Workbench, by: "bitmap" | "dates", place: Place): OpenCase {
	const { arena, kernels, readLoop, region: keys, labels } = bench;
	const ids = keys + 4 * labels;
	const born = keys + 8 * labels;
	const died = keys + 16 * labels;
	const pool = bench.alloc(8);
	const struct = bench.alloc(ELIGIBILITY.bytes);
	const bitmap = bench.alloc(Math.ceil(labels / 128) * 16);
	const words = arena.u32(struct, ELIGIBILITY.bytes / 4);
	if (by === "bitmap") {
		words[ELIGIBILITY.allow / 4] = bitmap;
		words[ELIGIBILITY.allowed / 4] = labels;
	} else {
		words[ELIGIBILITY.born / 4] = born;
		words[ELIGIBILITY.died / 4] = died;
		words[ELIGIBILITY.dated / 4] = labels;
		arena.f64(struct + ELIGIBILITY.reader, 1)[0] = 2;
	}
	return {
		items:
			place === "cache" ? Math.min(labels, Math.floor(workingSet(bench, place) / LABEL_BYTES / 128) * 128) : labels,
		bytesPerItem: by === "bitmap" ? 8 + 1 / 8 : LABEL_BYTES,
		run(from, count) {
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				const at = 4 * (from + i);
				kernels.topk(keys + at, ids + at, Math.min(CHUNK_ROWS, count - i), 1, pool, 0, struct);
			}
		},
		read(from, count) {
			const whole = count & ~3;
			readLoop.readRange(keys + 4 * from, 4 * whole);
			readLoop.readRange(ids + 4 * from, 4 * whole);
			if (by === "bitmap") readLoop.readRange(bitmap + ((from >> 7) << 4), (count >> 7) << 4);
			else {
				readLoop.readRange(born + 8 * from, 8 * whole);
				readLoop.readRange(died + 8 * from, 8 * whole);
			}
		},
	};
}

function checksum(bench: Workbench, place: Place): OpenCase {
	const { kernels, readLoop, region } = bench;
	return {
		items: Math.floor(workingSet(bench, place) / KIB),
		bytesPerItem: KIB,
		run(from, count) {
			kernels.checksum(region + from * KIB, count * KIB);
		},
		read(from, count) {
			readLoop.readRange(region + from * KIB, count * KIB);
		},
	};
}

const PLACES = ["cache", "memory"] as const;

export const POOL_CASES: readonly KernelCase[] = [
	...[10, 100].map(
		(k): KernelCase => ({
			kernel: "topk",
			variant: `k ${k}`,
			unit: "pair",
			content: "floats",
			places: PLACES,
			open: (bench, _, place) => topk(bench, k, place),
		}),
	),
	...(["bitmap", "dates"] as const).map(
		(by): KernelCase => ({
			kernel: "topk",
			variant: `all refused by ${by}`,
			unit: "pair",
			content: "labels",
			places: PLACES,
			open: (bench, _, place) => eligibility(bench, by, place),
		}),
	),
	{
		kernel: "checksum",
		variant: "",
		unit: "KiB",
		content: "floats",
		places: PLACES,
		open: (bench, _, place) => checksum(bench, place),
	},
];
