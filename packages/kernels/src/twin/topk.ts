import type { Eligibility } from "./eligibility.ts";
import type { TwinMemory } from "./memory.ts";

/**
 * Keeps the k nearest of what it is shown. `pool` holds `size` pairs {key: f32, id: u32} in ascending order of (key, id) and has room
 * for k; `keys[i]` belongs to `ids[i]`. Ids that `eligibility` (0 for none) excludes are passed over. Returns the new size.
 */
export function topk(
	eligible: Eligibility,
	keys: number,
	ids: number,
	n: number,
	k: number,
	pool: number,
	size: number,
	eligibility: number,
): number {
	const { m } = eligible;
	eligible.open(eligibility);
	let held = size;
	for (let i = 0; i < n; i++) {
		const key = m.loadF32(keys + 4 * i);
		if (held === k && key > m.loadF32(pool + 8 * (held - 1))) continue;
		const id = m.loadU32(ids + 4 * i);
		if (eligibility !== 0 && !eligible.admits(id)) continue;
		held = place(m, pool, held, k, key, id);
	}
	return held;
}

/** Puts one pair where it belongs, if it belongs; returns the new size. `key` is a float32. */
export function place(m: TwinMemory, pool: number, size: number, k: number, key: number, id: number): number {
	let low = 0;
	let high = size;
	while (low < high) {
		const mid = (low + high) >> 1;
		const at = pool + 8 * mid;
		const other = m.loadF32(at);
		if (other < key || (other === key && m.loadU32(at + 4) < id)) low = mid + 1;
		else high = mid;
	}
	if (low === k) return size;
	const held = size < k ? size + 1 : size;
	const at = pool + 8 * low;
	m.copyWords(at + 8, at, 8 * (held - 1 - low));
	m.storeF32(at, key);
	m.storeU32(at + 4, id);
	return held;
}
