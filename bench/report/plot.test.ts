import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plotReport } from "./plot.ts";
import { point, reportOf, result, TWO_ENGINES } from "./report.test-support.ts";

const KNOWN = ["nigh", "other"];
const svg = plotReport(reportOf(TWO_ENGINES), KNOWN);

/** Every element is closed by its own name, nothing follows the last one, and no text holds a bare `<` or `&`. */
function assertWellFormed(text: string): void {
	const open: string[] = [];
	for (const [, close, name, empty, rest] of text.matchAll(/<(\/?)([a-z]+)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>([^<]*)/g)) {
		if (close === "/") assert.equal(open.pop(), name);
		else if (empty !== "/") open.push(name as string);
		assert.doesNotMatch(rest as string, /&(?!amp;|lt;|gt;|quot;)|>/);
	}
	assert.deepEqual(open, []);
	assert.equal(text.replaceAll(/<(\/?)([a-z]+)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>[^<]*/g, ""), "");
}

/** Where the marker of a point stands, found by what it says of itself. */
function markerAt(text: string, says: string): { x: number; y: number } {
	const marker = text.split("\n").find((line) => line.includes(`<title>${says}`)) as string;
	const [, x, y] = /translate\(([\d.]+) ([\d.]+)\)/.exec(marker) as unknown as [string, string, string];
	return { x: Number(x), y: Number(y) };
}

describe("plotReport", () => {
	test("is well-formed, whatever names there are", () => {
		assertWellFormed(svg);
		const name = `a<b>&"c"`;
		const odd = plotReport(reportOf([result(name, [point(name, 1, 0.9, 1)])], { set: { ...reportOf([]).set, name } }), [
			name,
		]);
		assertWellFormed(odd);
		assert.match(odd, />a&lt;b&gt;&amp;&quot;c&quot;</);
	});

	test("the check of well-formedness can fail", () => {
		assert.throws(() => assertWellFormed("<svg><g></svg>"));
		assert.throws(() => assertWellFormed("<svg>a & b</svg>"));
		assert.throws(() => assertWellFormed('<svg a="<"></svg>'));
	});

	test("needs nothing from elsewhere and stands on a ground of its own", () => {
		assert.doesNotMatch(svg, /href|url\(|<script|<style|@import|<image/);
		assert.match(svg, /<rect x="0\.5" y="0\.5" width="\d+" height="\d+" rx="10" fill="#fcfcfb"/);
	});

	test("has a title and a description, which the picture is labelled by", () => {
		const [, title, desc] = /aria-labelledby="(\S+) (\S+)"/.exec(svg) as unknown as [string, string, string];
		assert.ok(svg.includes(`<title id="${title}">recall@10 against queries a second: made-1000x8</title>`));
		const text = new RegExp(`<desc id="${desc}">(.*)</desc>`).exec(svg)?.[1] as string;
		assert.match(
			text,
			/other: from other, ef 10: recall 0\.8999, 25,001 queries a second to other, ef 40: recall 0\.9900, 5,000 /,
		);
	});

	test("places points by log(1 - recall) and log(queries/s)", () => {
		const at = (engine: string, ef: number) => markerAt(svg, `${engine}, ef ${ef}:`);
		const [a, b, c] = [at("nigh", 10), at("nigh", 20), at("nigh", 40)];
		const [p, q, r] = [0.89999, 0.95, 0.99].map((recall) => -Math.log10(1 - recall)) as [number, number, number];
		assert.ok(Math.abs((b.x - a.x) / (c.x - a.x) - (q - p) / (r - p)) < 0.001);
		const factor = Math.log(50_000.9 / 20_000) / Math.log(50_000.9 / 10_000);
		assert.ok(Math.abs((b.y - a.y) / (c.y - a.y) - factor) < 0.001);
		assert.ok(Math.abs(at("other", 20).y - c.y) <= 0.1, "10,000 queries a second are at one height");
	});

	test("draws Nigh over the others, and wider", () => {
		const strokes = [...svg.matchAll(/stroke="(#\w+)" stroke-width="(\d)"/g)].map(([, colour, width]) => [
			colour,
			Number(width),
		]);
		assert.deepEqual(strokes.at(-1), ["#d55e00", 4]);
		assert.ok(svg.indexOf("<title>other, ef 40") < svg.indexOf("<title>nigh, ef 10"));
	});

	test("joins only points that no other beats, and shows the beaten ones faint", () => {
		const points = [point("nigh", 1, 0.9, 100), point("nigh", 2, 0.91, 5), point("nigh", 3, 0.99, 50)];
		const text = plotReport(reportOf([result("nigh", points)]), KNOWN);
		const line = /<path d="(M[^"]*)" fill="none" stroke-linejoin="round" stroke="#d55e00"/.exec(text)?.[1] as string;
		assert.equal(line.match(/[ML]/g)?.length, 2);
		const faint = text.split("\n").filter((each) => each.includes('opacity="0.4"'));
		assert.equal(faint.length, 1);
		assert.match(faint[0] as string, /ef 2: recall 0\.9100/);
	});

	test("labels every engine once, none over another", () => {
		const names = Array.from({ length: 12 }, (_, at) => `engine-${at}`);
		const results = names.map((name) => result(name, [point(name, 1, 0.9, 100), point(name, 2, 0.99, 50)]));
		const text = plotReport(reportOf(results), names);
		const heights = names.map((name) => {
			const [first, ...more] = [...text.matchAll(new RegExp(`<text x="\\d+" y="([\\d.]+)">${name}</text>`, "g"))];
			assert.equal(more.length, 0);
			return Number(first?.[1]);
		});
		heights.sort((a, b) => a - b);
		heights.slice(1).forEach((y, at) => {
			assert.ok(y - (heights[at] as number) >= 20);
		});
	});
});
