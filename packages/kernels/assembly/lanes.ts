/** The one order in which four float lanes are added, in every form of every kernel: (0 + 1) + (2 + 3). */
@inline
export function sumF32(v: v128): f32 {
	return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

@inline
export function sumI32(v: v128): i32 {
	return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/** The sums of the lanes of four vectors, one to a lane, each in the order of {@link sumF32}. */
@inline
export function sumsF32(a: v128, b: v128, c: v128, d: v128): v128 {
	const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
	const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
	const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
	const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
	const first = f32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
	return f32x4.add(first, f32x4.add(v128.shuffle<i32>(ab2, cd2, 0, 1, 4, 5), v128.shuffle<i32>(ab2, cd2, 2, 3, 6, 7)));
}

/** The sums of the lanes of four vectors, one to a lane: cheaper than four sums of their own. Integers, so that the order does not matter. */
@inline
export function sumsI32(a: v128, b: v128, c: v128, d: v128): v128 {
	const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
	const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
	return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}
