// Points assigned to centroids in transposed panels: 2 d floating-point operations a key, so that 2 d / ns are GFLOP/s, of which codes
// leave most out.
import { packCentroids } from "@nigh/index";
import { assignScratch, centroidCodesBytes, PANEL, panelBytes } from "@nigh/kernels";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { rowShape, type Workbench } from "./workbench.ts";

const CENTROIDS = 1_000;

/** Points of a run at most: what answers take is little beside the points. */
const MOST_POINTS = 65_536;

/** The last rows of the region as centroids. */
function packed(bench: Workbench, dimensions: number): { readonly panels: number; readonly codes: number } {
	const { arena } = bench;
	const { bytes, stride } = rowShape("floats", dimensions);
	const address = bench.region + (Math.floor(bench.bytes / stride) - CENTROIDS) * stride;
	const centroids = packCentroids(arena, { address, stride, bytes, n: CENTROIDS, dimensions });
	const copy = (from: number, length: number) => {
		const to = bench.alloc(length);
		arena.u8(to, length).set(arena.u8(from, length));
		return to;
	};
	const panels = copy(centroids.address, (CENTROIDS / PANEL.centroids) * panelBytes(bytes));
	const codes = copy(centroids.codes, centroidCodesBytes(bytes, CENTROIDS));
	centroids.dispose();
	return { panels, codes };
}

function assign(bench: Workbench, dimensions: number, place: Place, coded: boolean): OpenCase {
	const { arena, kernels, readLoop, region: base } = bench;
	const { bytes, stride } = rowShape("floats", dimensions);
	const { panels, codes } = packed(bench, dimensions);
	const labels = bench.alloc(4 * MOST_POINTS);
	const keys = bench.alloc(4 * MOST_POINTS);
	const scratch = bench.alloc(assignScratch(bytes, CENTROIDS, coded));
	const cursor = bench.alloc(4);
	return {
		items: Math.floor(workingSet(bench, place) / stride),
		mostItems: MOST_POINTS,
		bytesPerItem: bytes,
		unitsPerItem: CENTROIDS,
		run(from, count) {
			arena.u32(cursor, 1)[0] = 0;
			const first = base + from * stride;
			kernels.assignRange(
				...([first, stride, bytes, 0, panels, coded ? codes : 0, CENTROIDS] as const),
				...([scratch, labels, keys, count, cursor] as const),
			);
		},
		read(from, count) {
			readLoop.readRange(base + from * stride, count * stride);
		},
	};
}

export const KMEANS_CASES: readonly KernelCase[] = [false, true].map((coded) => ({
	kernel: "assignRange",
	variant: coded ? "1,000 centroids, with codes" : "1,000 centroids",
	unit: "key",
	content: "floats",
	places: ["cache", "memory"],
	open: (bench, dimensions, place) => assign(bench, dimensions, place, coded),
}));
