import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena } from "@nigh/kernels";
import { loadIndex } from "../load.ts";
import { refusal } from "../refusal.test-support.ts";
import { type Built, build, checkGraph, imageOf, mixture, range, reload, rowOf } from "./graphs.test-support.ts";

const N = 500;
const D = 16;
const { rows: ROWS } = mixture(N, D, 91);

const built = () => build(ROWS, { dimensions: D, metric: "l2", M: 4 });

/** What would lead a search or a write out of the graph, written by someone who knows the checksums. */
const DAMAGES: Readonly<Record<string, (built: Built) => void>> = {
	"a link beyond the last node": ({ graph }) => graph.setLinks(7, 0, [1, 2, N]),
	"a link far beyond": ({ graph }) => graph.setLinks(7, 0, [0xffffffff]),
	"a link to a free place": ({ index, graph }) => {
		index.remove([graph.labelOf(9)]);
		graph.setLinks(7, 0, [9]);
	},
	"a link to a node below the layer": ({ graph }) => {
		const low = [...graph.nodes()].find((node) => graph.levelOf(node) === 0) as number;
		graph.setLinks(graph.entry, 1, [low]);
	},
	"a list longer than lists are": ({ graph }) => {
		graph.arena.u32(graph.linksAddress(7, 0), 1)[0] = graph.M0 + 1;
	},
	"an upper list longer than lists are": ({ graph }) => {
		graph.arena.u32(graph.linksAddress(graph.entry, 1), 1)[0] = graph.M + 1;
	},
	"two nodes with one label": ({ graph }) => {
		const label = graph.arena.u32(graph.blockOf(7) + graph.payloadBytes + 4, 1);
		label[0] = graph.labelOf(8);
	},
	"upper links of another node": ({ graph }) => {
		const [a, b] = [...graph.nodes()].filter((node) => graph.levelOf(node) === 1) as [number, number];
		graph.upperOf()[a] = graph.upperOf()[b] as number;
	},
	"upper links beyond the last": ({ graph }) => {
		const node = [...graph.nodes()].find((other) => graph.levelOf(other) === 1) as number;
		graph.upperOf()[node] = graph.upper.used;
	},
	"a level above that of the entry point": ({ graph }) => {
		graph.levels()[7] = graph.topLevel + 1;
	},
	"an entry point that is not there": ({ graph }) => graph.setEntry(N, graph.topLevel),
	"an entry point below the top": ({ graph }) => {
		graph.setEntry([...graph.nodes()].find((node) => graph.levelOf(node) === 0) as number, 0);
	},
	"an entry point on a free place": ({ index, graph }) => {
		index.remove([graph.labelOf(9)]);
		graph.setEntry(9, 255);
	},
	"no entry point": ({ graph }) => graph.setEntry(0xffffffff, 0),
};

describe("an image whose graph leads out of itself is refused with CORRUPT_SNAPSHOT, and takes no memory", () => {
	for (const [name, damage] of Object.entries(DAMAGES)) {
		test(name, async () => {
			const whole = await built();
			damage(whole);
			const arena = new Arena();
			refusal("CORRUPT_SNAPSHOT", () => loadIndex(whole.index.serialize(), { arena }));
			assert.equal(arena.usedBytes, 0);
		});
	}

	test("and one that was not damaged is loaded", async () => {
		const { graph } = reload(imageOf((await built()).index), new Arena());
		assert.equal(graph.size, N);
		checkGraph(graph);
	});
});

test("gaps among the upper links are used again after loading", async () => {
	const { index } = await build(ROWS, { dimensions: D, metric: "l2", M: 2 });
	index.remove(range(0, N).filter((label) => label % 2 === 0));
	const loaded = reload(imageOf(index), new Arena());
	const { used } = loaded.graph.upper;
	for (let label = 0; label < N; label += 2) loaded.index.insert(label, rowOf(ROWS, label, D));
	assert.ok(loaded.graph.upper.used <= 1.1 * used, `${loaded.graph.upper.used} records, ${used} before`);
	checkGraph(loaded.graph, { connected: false });
});
