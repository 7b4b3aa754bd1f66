import { eligible, openEligibility } from "./eligibility";

/**
 * Keeps the k nearest of what it is shown. `pool` holds `size` pairs {key: f32, id: u32} in ascending order of (key, id) and has room
 * for k; `keys[i]` belongs to `ids[i]`. Ids that `eligibility` (0 for none) excludes are passed over. Returns the new size.
 */
export function topk(keys: usize, ids: usize, n: i32, k: i32, pool: usize, size: i32, eligibility: usize): i32 {
	openEligibility(eligibility);
	for (let i = 0; i < n; i++) {
		if (size == k) {
			// Most keys are too large: pass four of them over at a time.
			const last = f32x4.splat(load<f32>(pool + (<usize>(size - 1) << 3)));
			while (i + 4 <= n && i32x4.all_true(f32x4.gt(v128.load(keys + (<usize>i << 2)), last))) i += 4;
			if (i == n) break;
		}
		const key = load<f32>(keys + (<usize>i << 2));
		if (size == k && key > load<f32>(pool + (<usize>(size - 1) << 3))) continue;
		const id = load<u32>(ids + (<usize>i << 2));
		if (eligibility != 0 && !eligible(id)) continue;
		size = place(pool, size, k, key, id);
	}
	return size;
}

/** Puts one pair where it belongs, if it belongs; returns the new size. */
@inline
export function place(pool: usize, size: i32, k: i32, key: f32, id: u32): i32 {
	let low = 0;
	let high = size;
	while (low < high) {
		const mid = (low + high) >> 1;
		const at = pool + (<usize>mid << 3);
		const other = load<f32>(at);
		if (other < key || (other == key && load<u32>(at, 4) < id)) low = mid + 1;
		else high = mid;
	}
	if (low == k) return size;
	if (size < k) size++;
	const at = pool + (<usize>low << 3);
	memory.copy(at + 8, at, <usize>(size - 1 - low) << 3);
	store<f32>(at, key);
	store<u32>(at, id, 4);
	return size;
}
