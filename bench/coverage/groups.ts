/** Parts of a pool, at most. */
const GROUPS = 24;

/** By query of the pool: which of 24 queries of the pilot is nearest to it. So a pool falls into parts that lie together. */
export function groupsOf(pool: Float32Array, pilot: Float32Array, dimensions: number): Uint8Array {
	const anchors = Math.min(GROUPS, pilot.length / dimensions);
	return Uint8Array.from({ length: pool.length / dimensions }, (_, query) => {
		let nearest = 0;
		let least = Number.POSITIVE_INFINITY;
		for (let anchor = 0; anchor < anchors; anchor++) {
			let sum = 0;
			for (let j = 0; j < dimensions; j++)
				sum += ((pool[query * dimensions + j] as number) - (pilot[anchor * dimensions + j] as number)) ** 2;
			if (sum < least) [nearest, least] = [anchor, sum];
		}
		return nearest;
	});
}
