import assert from "node:assert/strict";
import type { SnapshotMeta } from "../snapshot/header.ts";
import { openSnapshot } from "../snapshot/read.ts";
import { writeSnapshot } from "../snapshot/write.ts";

/** A section's bytes, or the header's fields, changed by somebody who writes the right checksums. */
export interface Forged {
	readonly meta: SnapshotMeta & { index: { kind: string; parameters: Record<string, unknown> } };
	readonly sections: Map<string, { element: "u8" | "u32" | "f64"; bytes: Uint8Array }>;
}

export async function forge(path: string, change: (forged: Forged) => void): Promise<void> {
	const snapshot = openSnapshot(path);
	const { sections, ...meta } = snapshot.info;
	const read = sections.map(({ name, element, bytes }) => {
		const into = new Uint8Array(bytes);
		snapshot.readSection(name, into);
		return [name, { element, bytes: into }] as const;
	});
	snapshot.close();
	const forged = { meta: structuredClone(meta), sections: new Map(read) } as unknown as Forged;
	change(forged);
	await writeSnapshot(
		path,
		forged.meta,
		[...forged.sections].map(([name, { element, bytes }]) => ({ name, element, bytes: bytes.length, chunks: [bytes] })),
	);
}

export const words = ({ sections }: Forged, name: string): Uint32Array => {
	const section = sections.get(name);
	assert.ok(section !== undefined, name);
	return new Uint32Array(section.bytes.buffer, 0, section.bytes.length / 4);
};

export const state = ({ meta }: Forged) => meta.index.parameters;
