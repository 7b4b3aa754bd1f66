/** Where a value of an axis lies, and what is written beside the axis. */
export interface Scale {
	/** Of a value, in the picture's units. */
	at(value: number): number;
	readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** Where an axis begins and ends in the picture. */
export interface Span {
	readonly from: number;
	readonly to: number;
}

const RECALL_TICKS = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999];
/** All recalls from here on lie in one place: the axis has no end otherwise. */
const MOST_RECALL = 0.9999;
/** Shown at least, so that pictures are alike. */
const ALWAYS = { from: 0.9, to: 0.99 };
/** Free space at both ends, in tenfold steps. */
const RECALL_MARGIN = 0.08;
const QPS_MARGIN = 0.1;
/** Lines of a tenfold step, by how many of those the axis has. */
const STEPS = [
	{ upTo: 1, steps: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
	{ upTo: 4, steps: [1, 2, 5] },
	{ upTo: Number.POSITIVE_INFINITY, steps: [1] },
] as const;

/** Recall spread towards 1: a step of the axis is a tenth of the neighbours missed. */
export function recallScale(recalls: readonly number[], span: Span): Scale {
	const nines = (recall: number) => -Math.log10(1 - Math.min(recall, MOST_RECALL));
	const low = nines(Math.min(ALWAYS.from, ...recalls)) - RECALL_MARGIN;
	const high = nines(Math.max(ALWAYS.to, ...recalls)) + RECALL_MARGIN;
	const at = (recall: number) => span.from + ((nines(recall) - low) / (high - low)) * (span.to - span.from);
	const ticks = RECALL_TICKS.filter((recall) => nines(recall) >= low && nines(recall) <= high);
	return {
		at,
		ticks: ticks.map((recall) => ({ at: at(recall), text: `${recall < MOST_RECALL ? "" : "≥ "}${recall}` })),
	};
}

/** Queries a second, in equal steps for equal factors. At least one value above 0. */
export function qpsScale(values: readonly number[], span: Span): Scale {
	const low = Math.log10(Math.min(...values)) - QPS_MARGIN;
	const high = Math.log10(Math.max(...values)) + QPS_MARGIN;
	const at = (qps: number) => span.from + ((Math.log10(qps) - low) / (high - low)) * (span.to - span.from);
	const steps = STEPS.find(({ upTo }) => high - low <= upTo)?.steps ?? [];
	const ticks = [];
	for (let decade = Math.floor(low); decade <= Math.ceil(high); decade++) {
		for (const step of steps) {
			const value = step * 10 ** decade;
			if (Math.log10(value) >= low && Math.log10(value) <= high) ticks.push({ at: at(value), text: tickText(value) });
		}
	}
	return { at, ticks };
}

function tickText(value: number): string {
	return value.toLocaleString("en-US", { maximumSignificantDigits: 1 });
}
