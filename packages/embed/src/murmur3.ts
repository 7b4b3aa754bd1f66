const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain) of `bytes[start..end)`: 0 to 4,294,967,295. Well mixed, but not
 * a defence against somebody who picks colliding input.
 */
export function murmur3(bytes: Uint8Array, start: number, end: number, seed: number): number {
	let hash = seed | 0;
	const tail = start + ((end - start) & ~3);
	for (let at = start; at < tail; at += 4) {
		const block =
			(bytes[at] as number) |
			((bytes[at + 1] as number) << 8) |
			((bytes[at + 2] as number) << 16) |
			((bytes[at + 3] as number) << 24);
		hash ^= scramble(block);
		hash = (hash << 13) | (hash >>> 19);
		hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
	}
	if (tail < end) {
		let block = bytes[tail] as number;
		if (tail + 1 < end) block |= (bytes[tail + 1] as number) << 8;
		if (tail + 2 < end) block |= (bytes[tail + 2] as number) << 16;
		hash ^= scramble(block);
	}
	hash ^= end - start;
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
	const mixed = Math.imul(block, C1);
	return Math.imul((mixed << 15) | (mixed >>> 17), C2);
}
