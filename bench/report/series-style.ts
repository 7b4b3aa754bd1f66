import { isNigh, NIGH } from "./report.ts";

/** How an engine's line is drawn. */
export interface SeriesStyle {
	readonly colour: string;
	readonly width: number;
	/** A dash pattern of SVG, or `undefined` for a line without gaps. */
	readonly dashes: string | undefined;
	/** A marker of a radius around the origin, as the path data of SVG. */
	marker(radius: number): string;
}

/** Okabe and Ito's colours, which the colour-blind tell apart; without yellow, which is lost on a light ground. */
const NIGH_COLOUR = "#d55e00";
const PEER_COLOURS = ["#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#505050", "#e69f00"] as const;
const DASHES = [undefined, "7 4", "2 4", "12 4 2 4", "1 3"] as const;

const circle = (r: number) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const square = (r: number) => `M${-0.85 * r} ${-0.85 * r}h${1.7 * r}v${1.7 * r}h${-1.7 * r}z`;
const diamond = (r: number) => `M0 ${-1.2 * r}L${1.2 * r} 0L0 ${1.2 * r}L${-1.2 * r} 0z`;
const triangle = (r: number) => `M0 ${-1.15 * r}L${1.1 * r} ${0.85 * r}H${-1.1 * r}z`;
const turned = (r: number) => `M0 ${1.15 * r}L${1.1 * r} ${-0.85 * r}H${-1.1 * r}z`;
const PEER_MARKERS = [square, triangle, diamond, turned] as const;

/** An engine's style by its place among all that are known, so that it looks alike in every picture. */
export function seriesStyle(engine: string, known: readonly string[]): SeriesStyle {
	if (isNigh(engine)) {
		const kind = known.filter(isNigh).indexOf(engine);
		const width = engine === NIGH ? 4 : 3;
		return { colour: NIGH_COLOUR, width, dashes: DASHES[Math.max(0, kind) % DASHES.length], marker: circle };
	}
	const peers = known.filter((name) => !isNigh(name));
	const at = Math.max(0, peers.indexOf(engine));
	return {
		colour: PEER_COLOURS[at % PEER_COLOURS.length] as string,
		width: 2,
		// Where the colours begin again, the lines are dashed in another way.
		dashes: DASHES[Math.floor(at / PEER_COLOURS.length) % DASHES.length],
		marker: PEER_MARKERS[at % PEER_MARKERS.length] as (radius: number) => string,
	};
}
