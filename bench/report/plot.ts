import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { settingText } from "../engines/setting.ts";
import type { EngineResult, Point } from "../run/interleave.ts";
import { placeLabels } from "./label-placement.ts";
import { frontier, median } from "./operating-points.ts";
import { NIGH, type Report } from "./report.ts";
import { moreIsBetter, recallText } from "./rounding.ts";
import { qpsScale, recallScale, type Scale } from "./scales.ts";
import { type SeriesStyle, seriesStyle } from "./series-style.ts";

const HEIGHT = 560;
const PLOT = { left: 104, right: 776, top: 84, bottom: 484 };
const LABEL = { left: PLOT.right + 44, gap: 21, perLetter: 8.2, margin: 24 };
const INK = "#22262b";
const FAINT_INK = "#5b636d";
const GRID = "#e3e6ea";
const GROUND = "#fcfcfb";

interface Series {
	readonly result: EngineResult;
	readonly style: SeriesStyle;
	/** What the line joins; the points beside it are beaten by others of the engine. */
	readonly edge: readonly Point[];
}

interface Axes {
	readonly x: Scale;
	readonly y: Scale;
}

/**
 * A picture of recall against queries a second, up and to the right being better, as an SVG that needs nothing else and stands on a
 * ground of its own. At least one engine with a point. `known`: all engines there are, by which each gets its colour.
 */
export function plotReport(report: Report, known: readonly string[]): string {
	const { set, parameters, results } = report;
	const series = results.map((result) => ({
		result,
		style: seriesStyle(result.engine, known),
		edge: frontier(result.points),
	}));
	const points = results.flatMap((result) => result.points);
	const axes: Axes = {
		x: recallScale(
			points.map(({ recall }) => recall),
			{ from: PLOT.left, to: PLOT.right },
		),
		y: qpsScale(
			points.flatMap(({ qps }) => qps),
			{ from: PLOT.bottom, to: PLOT.top },
		),
	};
	const letters = Math.max(...results.map(({ engine }) => engine.length));
	const width = Math.ceil(LABEL.left + letters * LABEL.perLetter + LABEL.margin);
	const title = `recall@${parameters.k} against queries a second: ${set.name}`;
	const id = `plot-${set.name.replace(/[^\w-]+/g, "-")}`;
	// Nigh last, on top of the others.
	const drawn = series.toSorted((a, b) => Number(a.result.engine === NIGH) - Number(b.result.engine === NIGH));
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-desc" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="${INK}">`,
		`<title id="${id}-title">${escaped(title)}</title>`,
		`<desc id="${id}-desc">${escaped(description(series))}</desc>`,
		`<rect x="0.5" y="0.5" width="${width - 1}" height="${HEIGHT - 1}" rx="10" fill="${GROUND}" stroke="${GRID}"/>`,
		...headings(report),
		...grid(axes, parameters.k),
		...drawn.map((each) => line(each, axes)),
		...drawn.flatMap((each) => markers(each, axes)),
		...labels(series, axes),
		"</svg>\n",
	].join("\n");
}

function headings({ set, machine }: Report): string[] {
	const facts = `${grouped(set.n)} vectors, ${set.dimensions} dimensions, ${set.metric}. One query at a time on one thread of ${machine.cpu}.`;
	return [
		`<text x="${PLOT.left}" y="38" font-size="19" font-weight="600">${escaped(set.name)}</text>`,
		`<text x="${PLOT.left}" y="60" fill="${FAINT_INK}">${escaped(facts)}</text>`,
	];
}

function grid({ x, y }: Axes, k: number): string[] {
	const middle = (PLOT.left + PLOT.right) / 2;
	return [
		`<g stroke="${GRID}">`,
		...x.ticks.map(({ at }) => `<path d="M${n(at)} ${PLOT.top}V${PLOT.bottom}"/>`),
		...y.ticks.map(({ at }) => `<path d="M${PLOT.left} ${n(at)}H${PLOT.right}"/>`),
		"</g>",
		`<path d="M${PLOT.left} ${PLOT.top}V${PLOT.bottom}H${PLOT.right}" fill="none" stroke="#a9b0b8"/>`,
		`<g fill="${FAINT_INK}" text-anchor="middle">`,
		...x.ticks.map(({ at, text }) => `<text x="${n(at)}" y="${PLOT.bottom + 21}">${text}</text>`),
		"</g>",
		`<g fill="${FAINT_INK}" text-anchor="end">`,
		...y.ticks.map(({ at, text }) => `<text x="${PLOT.left - 9}" y="${n(at + 4.5)}">${text}</text>`),
		"</g>",
		`<text x="${middle}" y="${PLOT.bottom + 50}" text-anchor="middle">recall@${k}, spread towards 1 →</text>`,
		`<text transform="translate(24 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">queries a second, logarithmic →</text>`,
	];
}

function line({ result, style, edge }: Series, axes: Axes): string {
	const { colour, width, dashes } = style;
	const steps = edge.map((point) => place(point, axes)).map(([x, y], at) => `${at === 0 ? "M" : "L"}${n(x)} ${n(y)}`);
	const path = `<path d="${steps.join("")}" fill="none" stroke-linejoin="round"`;
	const halo = result.engine === NIGH ? `${path} stroke="${GROUND}" stroke-width="${width + 3}"/>\n` : "";
	const gaps = dashes === undefined ? "" : ` stroke-dasharray="${dashes}"`;
	return `${halo}${path} stroke="${colour}" stroke-width="${width}"${gaps}/>`;
}

function markers({ result, style, edge }: Series, axes: Axes): string[] {
	return [
		`<g fill="${style.colour}" stroke="${GROUND}" stroke-width="1.5">`,
		...result.points.map((point) => {
			const opacity = edge.includes(point) ? "" : ' opacity="0.4"';
			const at = `translate(${place(point, axes).map(n).join(" ")})`;
			const text = `<title>${escaped(pointText(result, point))}</title>`;
			return `${spread(point, style, axes)}<path d="${style.marker(radius(result))}" transform="${at}"${opacity}>${text}</path>`;
		}),
		"</g>",
	];
}

/** From the slowest pass to the fastest. */
function spread({ recall, qps }: Point, { colour }: SeriesStyle, { x, y }: Axes): string {
	const path = `M${n(x.at(recall))} ${n(y.at(Math.min(...qps)))}V${n(y.at(Math.max(...qps)))}`;
	return `<path d="${path}" stroke="${colour}" stroke-opacity="0.5"/>`;
}

/** A name right of the picture for every line, and a thread from the line's end to it. */
function labels(series: readonly Series[], axes: Axes): string[] {
	const ends = series.map(({ edge }) => place(edge.at(-1) as Point, axes));
	const wanted = ends.map(([, y]) => y);
	const placed = placeLabels(wanted, LABEL.gap, PLOT.top + 6, PLOT.bottom - 6);
	return series.flatMap(({ result, style }, at) => {
		const [x, y] = ends[at] as [number, number];
		const to = placed[at] as number;
		const emphasis = result.engine === NIGH ? ' font-weight="700" font-size="15"' : "";
		// Straight to the label's height, unless the line ends too near for the slope to be seen.
		const bend = x > PLOT.right - 30 ? y : to;
		const thread = `M${n(x + 9)} ${n(y)}L${PLOT.right + 6} ${n(bend)}L${LABEL.left - 22} ${n(to)}`;
		return [
			`<path d="${thread}" fill="none" stroke="${style.colour}" stroke-dasharray="1 3" stroke-linecap="round"/>`,
			`<path d="${style.marker(radius(result))}" transform="translate(${LABEL.left - 11} ${n(to)})" fill="${style.colour}"/>`,
			`<text x="${LABEL.left}" y="${n(to + 4.5)}"${emphasis}>${escaped(result.engine)}</text>`,
		];
	});
}

function radius({ engine }: EngineResult): number {
	return engine === NIGH ? 6.5 : 5;
}

function description(series: readonly Series[]): string {
	return series
		.map(({ result, edge }) => {
			const [low, high] = [edge[0] as Point, edge.at(-1) as Point];
			return `${result.engine}: from ${pointText(result, low)} to ${pointText(result, high)}.`;
		})
		.join(" ");
}

function pointText({ engine }: EngineResult, { setting, recall, qps }: Point): string {
	return `${engine}, ${settingText(setting)}: recall ${recallText(recall)}, ${moreIsBetter(engine, median(qps))} queries a second`;
}

function place({ recall, qps }: Point, { x, y }: Axes): [x: number, y: number] {
	return [x.at(recall), y.at(median(qps))];
}

/** A coordinate: a tenth of a pixel is fine enough, and files stay alike. */
function n(value: number): string {
	return String(Number(value.toFixed(1)));
}

function escaped(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
