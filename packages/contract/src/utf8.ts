/**
 * Orders two well-formed strings by their UTF-8 bytes, which is also the order of their code points, SQLite's `BINARY` and
 * PostgreSQL's `COLLATE "C"`. JavaScript's own `<` differs: it puts U+10000 and above before U+E000 to U+FFFF.
 *
 * @returns negative, 0 or positive, as a comparison function for `sort`.
 */
export function compareUtf8(a: string, b: string): number {
	const shared = Math.min(a.length, b.length);
	for (let i = 0; i < shared; i++) {
		const left = a.charCodeAt(i);
		const right = b.charCodeAt(i);
		if (left !== right) return rank(left) - rank(right);
	}
	return a.length - b.length;
}

/** Moves surrogates (which stand for the code points above U+FFFF) behind every other code unit. */
function rank(unit: number): number {
	if (unit < 0xd800) return unit;
	return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Bytes of a well-formed string in UTF-8. */
export function utf8Length(text: string): number {
	let bytes = text.length;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		if (unit < 0x80) continue;
		// A surrogate pair is two units and four bytes, so each half adds one.
		bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
	}
	return bytes;
}
