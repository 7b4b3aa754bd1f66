import { setTimeout as pause } from "node:timers/promises";
import type { Collection } from "@nigh/contract";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { withCollection } from "./collection.ts";
import { type DatabaseBenchOptions, DIMENSIONS, type Figure, K, type Measured, SEED } from "./measurement.ts";
import { BATCH, load, rowOf, vectors } from "./records.ts";
import { settled } from "./settle.ts";
import { processorTime, quantile, timed } from "./times.ts";

const VECTORS = 1_000_000;
const QUERIES = 1_000;
/** Between two searches. */
const EVERY_MS = 20;

/** A search, and when it was asked. */
interface Asked {
	readonly at: number;
	readonly ms: number;
}

/** A large import up to the last vector in the graph, and what searches feel of it. */
export async function importing({ size = VECTORS, folder, onStep }: DatabaseBenchOptions): Promise<Measured> {
	onStep("making the set");
	const { base, queries } = vectors(size, Math.min(QUERIES, size));
	const figures = await withCollection({ folder, name: "import" }, async (collection): Promise<Figure[]> => {
		const before = processorTime().all;
		const start = performance.now();
		const seconds = () => (performance.now() - start) / 1_000;
		const searches = searchThroughout(collection, queries);
		onStep("writing");
		await load(collection, base);
		const written = performance.now();
		const writtenSeconds = seconds();
		await settled(collection, size, onStep);
		const allSeconds = seconds();
		const computed = (processorTime().all - before) / 1_000;
		const asked = await searches.stop();
		return [
			{ what: "acknowledged", value: writtenSeconds, unit: "s" },
			{ what: "all in the main index", value: allSeconds, unit: "s" },
			{ what: "rate up to there", value: size / allSeconds, unit: "records/s" },
			{ what: "processor up to there, all threads, searches included", value: computed, unit: "s" },
			...searchFigures(
				"while writing",
				asked.filter(({ at }) => at < written),
			),
			...searchFigures(
				"while the rest is taken in",
				asked.filter(({ at }) => at >= written),
			),
			...searchFigures("throughout", asked),
		];
	});
	return {
		title: "Import",
		about: [
			`${grouped(size)} generated vectors of ${DIMENSIONS} dimensions under l2 (seed ${SEED}), in batches of ${grouped(BATCH)}, each awaited before the next; a search (k ${K}, without metadata) ${EVERY_MS} ms after the one before has been answered, from beginning to end.`,
		],
		figures,
	};
}

function searchThroughout(collection: Collection, queries: Float32Array): { stop(): Promise<Asked[]> } {
	let isStopped = false;
	const run = async () => {
		const asked: Asked[] = [];
		for (let i = 0; !isStopped; i++) {
			const vector = rowOf(queries, i % (queries.length / DIMENSIONS));
			const at = performance.now();
			const { ms } = await timed(() => collection.search({ vector, k: K, include: { metadata: false } }));
			asked.push({ at, ms });
			await pause(EVERY_MS);
		}
		return asked;
	};
	const running = run();
	// Told by stop(); until then it is nobody's.
	running.catch(() => {});
	return {
		stop() {
			isStopped = true;
			return running;
		},
	};
}

function searchFigures(when: string, asked: readonly Asked[]): Figure[] {
	if (asked.length === 0) return [];
	const times = asked.map(({ ms }) => ms);
	const figure = (name: string, value: number): Figure => ({ what: `search ${when}, ${name}`, value, unit: "ms" });
	return [
		{ what: `searches ${when}`, value: times.length, unit: "" },
		figure("p50", quantile(times, 0.5)),
		figure("p99", quantile(times, 0.99)),
		figure("most", quantile(times, 1)),
	];
}
