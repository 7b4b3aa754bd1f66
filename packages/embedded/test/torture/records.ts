// What the records of a torture run have in them: everything follows from the id and a version number, so that whatever is found in the
// database can be told from what was written, torn or mixed states too.

/** Components of a vector. */
export const DIMENSIONS = 8;
/** Values of the metadata field `group`. */
export const GROUPS = 7;

export function idOf(index: number): string {
	return `record-${index}`;
}

/** A vector of its own for every id and version. */
export function vectorFor(id: string, version: number): Float32Array {
	let state = Math.imul(version + 1, 0x9e3779b1);
	for (let i = 0; i < id.length; i++) state = Math.imul(state ^ id.charCodeAt(i), 0x01000193);
	return Float32Array.from({ length: DIMENSIONS }, () => {
		state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
		return ((state ^ (state >>> 12)) >>> 8) / 2 ** 23 - 1;
	});
}

export function metadataFor(id: string, version: number) {
	return { id, version, group: version % GROUPS };
}

/** A word that no other record has. */
export function wordFor(id: string): string {
	return id.replace("-", "");
}

/** Every third version has none. */
export function textFor(id: string, version: number): string | undefined {
	return version % 3 === 0 ? undefined : `${wordFor(id)} version${version} group${version % GROUPS}`;
}
