import type { EffectiveSettings } from "@nigh/contract";

/** An index with its parameters: `hnsw (auto) M=16 ef=40` */
export function indexText({ kind, parameters }: EffectiveSettings["index"]): string {
	const { asked, ...rest } = parameters;
	const texts = Object.entries(rest).map(
		([key, value]) => `${key}=${typeof value === "number" ? short(value) : value}`,
	);
	return [asked === undefined || asked === kind ? kind : `${kind} (${asked})`, ...texts].join(" ");
}

function short(value: number): string {
	return String(Number.isInteger(value) ? value : Number(value.toPrecision(3)));
}
