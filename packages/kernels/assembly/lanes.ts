/** The one order in which four float lanes are added, in every form of every kernel: (0 + 1) + (2 + 3). */
@inline
export function sumF32(v: v128): f32 {
	return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

@inline
export function sumI32(v: v128): i32 {
	return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}
