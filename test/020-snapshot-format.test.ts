// docs/snapshot-format.md, read as somebody would who writes a reader from it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createHnsw, createIvf, type IvfOptions } from "@nigh/index";

const text = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "..", "docs", "snapshot-format.md"), "utf8");

const N = 600;
const NONE = 0xffffffff;
/** Bytes of a row of so many floats. */
const row = (floats: number) => Math.ceil(floats / 4) * 16;

function vectors(dimensions: number): Float32Array {
	let state = 7;
	return Float32Array.from({ length: N * dimensions }, (_, i) => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return (state / 2 ** 32 - 0.5) / (1 + (i % dimensions) / 8);
	});
}

type Parts = ReturnType<ReturnType<typeof createIvf>["parts"]>;

/** What of an index the document has to speak of. */
function checkNamed({ state, sections }: Pick<Parts, "state" | "sections">): void {
	for (const name of Object.keys(state)) assert.ok(text.includes(`\`${name}\``), `the field ${name} is not described`);
	for (const { name } of sections)
		assert.ok(text.includes(`| \`index.${name}\` |`), `the section ${name} is not described`);
}

/** The sections, each of the length that the document says. */
function sectionsOf({ state, sections }: Parts) {
	const s = state as Record<string, number> & { kind: string; storage: string; codes: string; metric: string };
	const d = s.dimensions as number;
	const axes = s.axes as number;
	const [w, isTurned] = [axes || d, axes > 0 ? 1 : 0];
	const [D, W] = [row(d), row(w)];
	const [subs, bits] = [s.subs as number, s.bits as number];
	const payloads: Readonly<Record<string, () => number>> = {
		ivf: () => 0,
		ivfpq: () => (s.metric === "ip" ? 0 : 128) + (bits === 4 ? 16 * subs : Math.ceil((32 * subs) / 16) * 16),
		ivfrabitq: () => 32 * ((bits * Math.ceil(d / 64) * 64) / 8 + (bits === 1 ? 12 : 24)),
	};
	const payload = payloads[s.kind]?.() ?? assert.fail();
	const isCoded = s.codes === "sq7";
	const hasCodes = s.storage === "disk" && isCoded;
	const slots = s.slots as number;
	const cells = s.cells as number;
	const lengths: Readonly<Record<string, number | undefined>> = {
		mean: isTurned * D,
		offset: isTurned * W,
		axes: isTurned * w * D,
		centroids: cells * W,
		codebooks: subs === 0 ? 0 : 4 * w * 2 ** bits,
		cells: cells * 16,
		leastTerms: cells * 4,
		blocks: (s.blocksUsed as number) * (144 + payload),
		labels: slots * 4,
		vectors: s.storage === "memory" ? slots * D : undefined,
		codes: hasCodes ? slots * Math.ceil(d / 16) * 16 : undefined,
		errors: hasCodes ? slots * 8 : undefined,
		origin: isCoded || (s.kind !== "ivf" && d >= 32) ? D : 0,
	};
	const expected = Object.entries(lengths).filter(([, bytes]) => bytes !== undefined);
	assert.deepEqual(
		sections.map(({ name, bytes }) => [name, bytes.length]),
		expected,
	);
	const parts = new Map(sections.map(({ name, bytes }) => [name, bytes.slice().buffer]));
	const floats = (name: string) => new Float32Array(parts.get(name) ?? assert.fail(name));
	const words = (name: string) => new Uint32Array(parts.get(name) ?? assert.fail(name));
	return {
		d,
		w,
		isTurned: isTurned === 1,
		subs,
		bits,
		payload,
		cells,
		floats,
		words,
		bytes: (name: string) => new Uint8Array(parts.get(name) as ArrayBuffer),
	};
}

/** All rows of all cells: the cell of each, and where it is in its block. */
function* rowsOf(file: ReturnType<typeof sectionsOf>) {
	const [cells, blocks, labels] = [file.words("cells"), file.words("blocks"), file.words("labels")];
	const stride = (144 + file.payload) / 4;
	for (let cell = 0; cell < file.cells; cell++) {
		let counted = 0;
		let last = NONE;
		for (let block = cells[4 * cell] as number; block !== NONE; block = blocks[block * stride] as number) {
			const at = block * stride;
			assert.deepEqual([blocks[at + 2], blocks[at + 3]], [cell, 0]);
			const n = blocks[at + 1] as number;
			counted += n;
			last = block;
			for (let i = 0; i < n; i++) {
				const place = blocks[at + 4 + i] as number;
				if (place !== NONE) yield { cell, i, payload: 4 * at + 144, place, label: labels[place] as number };
			}
		}
		assert.deepEqual([counted, last], [cells[4 * cell + 2], cells[4 * cell + 1]]);
	}
}

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) <= 1e-3 * (1 + Math.abs(b)), `${a}, not ${b}`);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
	Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);

const KINDS: readonly Pick<IvfOptions, "kind" | "bits" | "M" | "metric" | "storage" | "residual" | "rotation">[] = [
	{ kind: "ivf", metric: "l2" },
	{ kind: "ivf", metric: "cosine", storage: "disk" },
	{ kind: "ivf", metric: "l1" },
	{ kind: "ivfpq", metric: "l2", storage: "disk" },
	{ kind: "ivfpq", metric: "l2", bits: 6, M: 6 },
	{ kind: "ivfpq", metric: "cosine", residual: false, rotation: "none" },
	{ kind: "ivfpq", metric: "ip" },
	{ kind: "ivfrabitq", metric: "l2", storage: "disk" },
	{ kind: "ivfrabitq", metric: "ip", bits: 4 },
];

for (const options of KINDS) {
	test(`what the document says of ${JSON.stringify(options)} is what is written`, async () => {
		const d = 42;
		const index = createIvf({ ...options, dimensions: d, nlist: 6, seed: 3 });
		const given = vectors(d);
		await index.train(given);
		await index.insertMany(given);
		index.remove([3, 333]);
		const parts = index.parts();
		checkNamed(parts);
		const file = sectionsOf(parts);
		const labels: number[] = [];
		for (const found of rowsOf(file)) {
			labels.push(found.label);
			const vector = Float32Array.from(given.subarray(found.label * d, (found.label + 1) * d));
			if (options.metric === "cosine") {
				const length = Math.sqrt(dot(vector, vector));
				for (let j = 0; j < d; j++) vector[j] = (vector[j] as number) / length;
			}
			if (options.kind === "ivfpq") checkProduct(file, found, vector, options);
			checkKept(file, found.place, vector, parts);
		}
		assert.deepEqual(
			labels.sort((a, b) => a - b),
			Array.from({ length: N }, (_, i) => i).filter((label) => label !== 3 && label !== 333),
		);
		index.dispose();
	});
}

/** The vector itself, or its 7-bit code where there is one. */
function checkKept(file: ReturnType<typeof sectionsOf>, place: number, vector: Float32Array, parts: Parts): void {
	const { d } = file;
	const { storage, codes, unit } = parts.state;
	if (storage === "memory") {
		const stored = file.floats("vectors").subarray((place * row(d)) / 4);
		for (let j = 0; j < d; j++) near(stored[j] as number, vector[j] as number);
		return;
	}
	if (codes === "none") return;
	const bytes = Math.ceil(d / 16) * 16;
	const code = file.bytes("codes").subarray(place * bytes, (place + 1) * bytes);
	assert.ok(code.subarray(d).every((x) => x === 0) && code.every((x) => x <= 127));
	const origin = file.floats("origin");
	const rest = vector.map((x, j) => x - (origin[j] as number) - (code[j] as number) * (unit as number));
	assert.equal(new Int32Array(file.words("errors").buffer)[2 * place], dot(code, code));
	near(file.floats("errors")[2 * place + 1] as number, Math.sqrt(dot(rest, rest)));
	assert.ok(dot(rest, rest) < 0.01 * dot(vector, vector));
}

function checkProduct(
	file: ReturnType<typeof sectionsOf>,
	{ cell, i, payload }: { cell: number; i: number; payload: number },
	vector: Float32Array,
	{ metric, residual = true }: Pick<IvfOptions, "metric" | "residual">,
): void {
	const { d, w, subs, bits, isTurned } = file;
	const axes = file.floats("axes");
	const offset = file.floats("offset");
	const turned = isTurned
		? Array.from({ length: w }, (_, a) => -dot(vector, axes.subarray((a * row(d)) / 4)) - (offset[a] as number))
		: vector;
	const centroid = file.floats("centroids").subarray((cell * row(w)) / 4);
	const codes = payload + (metric === "ip" ? 0 : 128);
	const [books, blocks] = [file.floats("codebooks"), file.bytes("blocks")];
	const r = Array.from({ length: w }, (_, at) => {
		const [m, j] = [Math.floor(at / (w / subs)), at % (w / subs)];
		const packed = blocks[codes + 16 * m + 2 * (i & 7) + ((i >> 3) & 1)] as number;
		const entry = bits === 4 ? (packed >> (4 * (i >> 4))) & 15 : (blocks[codes + i * subs + m] as number);
		return books[((m * w) / subs + j) * 2 ** bits + entry] as number;
	});
	const rest = r.map((x, at) => (turned[at] as number) - x - (residual ? (centroid[at] as number) : 0));
	const error = dot(rest, rest);
	// A code says something of its row.
	assert.ok(error < dot(turned, turned), `${error} of ${dot(turned, turned)}`);
	if (metric === "ip") return;
	const mean = file.floats("mean");
	const centred = vector.map((x, j) => x - (isTurned ? (mean[j] as number) : 0));
	const beyond = dot(centred, centred) - dot(turned, turned);
	const term = new DataView(blocks.buffer).getFloat32(payload + 4 * i, true);
	near(term, dot(r, r) + (residual ? 2 * dot(r, centroid.subarray(0, w)) : 0) + error + beyond);
	assert.ok((file.floats("leastTerms")[cell] as number) <= term);
}

test("what the document says of a graph is what is written", async () => {
	const index = createHnsw({ dimensions: 42, metric: "l2" });
	await index.insertMany(vectors(42));
	checkNamed(index.parts());
	index.dispose();
});
