/**
 * Moves labels apart: as near as may be to where each wants to stand, in the same order, `gap` from one to the next, between `top` and
 * `bottom`. Where there is no room for all, they run over the bottom and still do not overlap.
 */
export function placeLabels(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
	const order = wanted.map((_, at) => at).sort((a, b) => (wanted[a] as number) - (wanted[b] as number) || a - b);
	// Labels that touch form a block, which stands where its labels on average want it.
	const blocks: { members: number[]; start: number }[] = [];
	for (const label of order) {
		let block = { members: [label], start: wanted[label] as number };
		for (;;) {
			const before = blocks.at(-1);
			if (before === undefined || before.start + before.members.length * gap <= block.start) break;
			blocks.pop();
			const members = [...before.members, ...block.members];
			const sum = members.reduce((total, member, rank) => total + (wanted[member] as number) - rank * gap, 0);
			block = { members, start: sum / members.length };
		}
		blocks.push(block);
	}
	const placed = new Array<number>(wanted.length);
	for (const { members, start } of blocks) {
		members.forEach((member, rank) => {
			placed[member] = start + rank * gap;
		});
	}
	pushInside(order, placed, gap, top, bottom);
	return placed;
}

function pushInside(order: readonly number[], placed: number[], gap: number, top: number, bottom: number): void {
	let limit = bottom;
	for (const label of order.toReversed()) {
		placed[label] = Math.min(placed[label] as number, limit);
		limit = (placed[label] as number) - gap;
	}
	limit = top;
	for (const label of order) {
		placed[label] = Math.max(placed[label] as number, limit);
		limit = (placed[label] as number) + gap;
	}
}
