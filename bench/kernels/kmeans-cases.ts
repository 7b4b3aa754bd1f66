// Points assigned to centroids in transposed panels: 2 d floating-point operations a key, so that 2 d / ns are GFLOP/s.
import { ASSIGN_SCRATCH, PANEL, panelBytes } from "@nigh/kernels";
import { seeded } from "../sets/random.ts";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { rowShape, type Workbench } from "./workbench.ts";

const CENTROIDS = 1_000;

/** Points of a run at most: what answers take is little beside the points. */
const MOST_POINTS = 65_536;

function assign(bench: Workbench, dimensions: number, place: Place): OpenCase {
	const { arena, kernels, readLoop, region: base } = bench;
	const { bytes, stride } = rowShape("floats", dimensions);
	const panels = bench.alloc((CENTROIDS / PANEL.centroids) * panelBytes(bytes));
	const { uniform } = seeded(4);
	// 1,000 centroids fill their panels; what the constants are makes no difference to the time.
	const floats = arena.f32(panels, ((CENTROIDS / PANEL.centroids) * panelBytes(bytes)) / 4);
	for (let i = 0; i < floats.length; i++) floats[i] = 2 * uniform() - 1;
	const labels = bench.alloc(4 * MOST_POINTS);
	const keys = bench.alloc(4 * MOST_POINTS);
	const scratch = bench.alloc(ASSIGN_SCRATCH);
	const cursor = bench.alloc(4);
	return {
		items: Math.floor(workingSet(bench, place) / stride),
		mostItems: MOST_POINTS,
		bytesPerItem: bytes,
		unitsPerItem: CENTROIDS,
		run(from, count) {
			arena.u32(cursor, 1)[0] = 0;
			const first = base + from * stride;
			kernels.assignRange(first, stride, bytes, 0, panels, CENTROIDS, scratch, labels, keys, count, cursor);
		},
		read(from, count) {
			readLoop.readRange(base + from * stride, count * stride);
		},
	};
}

export const KMEANS_CASES: readonly KernelCase[] = [
	{
		kernel: "assignRange",
		variant: "1,000 centroids",
		unit: "key",
		content: "floats",
		places: ["cache", "memory"],
		open: assign,
	},
];
