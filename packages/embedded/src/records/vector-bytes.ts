import type { StoredSpec } from "./catalogue.ts";

/** Bytes of one stored vector; `undefined` as long as no vector has told the dimensions. */
export function vectorBytes({ dimensions, type }: Pick<StoredSpec, "dimensions" | "type">): number | undefined {
	if (dimensions === null) return undefined;
	return type === "bit" ? dimensions / 8 : dimensions * Float32Array.BYTES_PER_ELEMENT;
}
