import { type Arena, CODE_PANEL, PANEL, panelBytes } from "@nigh/kernels";
import type { CentroidPanels } from "./panels.ts";

/** Codes reach this far to either side of the one that stands for 0. */
const MOST = 63;

/** Bounds are written a little too large: they must not be too small for being rounded. */
const UP = 1.001;

const ROUNDING = 2 ** -24;

/** Writes the codes of the centroids in the panels; assembly/kmeans/filter.ts draws them and says what they are for. */
export function packCodes(arena: Arena, panels: CentroidPanels, mean: Float32Array): void {
	const { bytes, k, dimensions } = panels;
	arena.f32(panels.codes, dimensions).set(mean);
	const length = Math.sqrt(mean.reduce((sum, x) => sum + x * x, 0));
	const panelFloats = panelBytes(bytes) / 4;
	for (let c = 0; c < Math.ceil(k / PANEL.centroids) * PANEL.centroids; c++) {
		const panel = Math.floor(c / PANEL.centroids);
		const within = c % PANEL.centroids;
		const at = panels.codes + bytes + panel * (CODE_PANEL.codes + 2 * bytes);
		const elements = arena.f32(panels.address + 4 * panel * panelFloats + PANEL.elements, PANEL.centroids * dimensions);
		const facts = arena.f32(at, CODE_PANEL.codes / 4).subarray(within);
		const codes = arena.u8(at + CODE_PANEL.codes, 2 * bytes);
		const { squares, unit, error } = codeOne(elements, codes, within, dimensions);
		const own = Math.sqrt(squares);
		facts[CODE_PANEL.squares / 4] = c < k ? squares : Number.POSITIVE_INFINITY;
		facts[CODE_PANEL.units / 4] = unit;
		facts[CODE_PANEL.lengths / 4] = own * UP;
		facts[CODE_PANEL.errors / 4] = error * UP;
		facts[CODE_PANEL.roundings / 4] = 16 * ROUNDING * (squares + 2 * length * own) * UP;
	}
}

/** Codes one centroid of a panel; returns its squared length, its unit, and how long what the code leaves out is. */
function codeOne(elements: Float32Array, codes: Uint8Array, within: number, dimensions: number) {
	let [most, squares, left] = [0, 0, 0];
	for (let i = within; i < elements.length; i += PANEL.centroids) {
		const x = elements[i] as number;
		most = Math.max(most, Math.abs(x));
		squares += x * x;
	}
	const unit = Math.fround(most / MOST);
	for (let i = 0; i < dimensions; i++) {
		const x = elements[i * PANEL.centroids + within] as number;
		// A unit may be rounded to 0, or down: then the last code stands for what lies beyond it, and the error says how far that is.
		const code = unit === 0 ? 0 : Math.max(-MOST, Math.min(MOST, Math.round(x / unit)));
		// Four elements of each of the eight centroids follow one another.
		codes[(i >> 2) * 4 * PANEL.centroids + 4 * within + (i & 3)] = code + CODE_PANEL.zero;
		left += (x - unit * code) ** 2;
	}
	return { squares, unit, error: Math.sqrt(left) };
}
