import { sumI32 } from "./lanes";

/** Differing bits of two packed rows. The 16-bit lanes hold 16 a step, so rows of up to 65,520 bytes cannot overflow them. */
@inline
export function hamming(a: usize, b: usize, bytes: usize): f32 {
	let sum = i16x8.splat(0);
	for (let o: usize = 0; o < bytes; o += 16) {
		const differing = i8x16.popcnt(v128.xor(v128.load(a + o), v128.load(b + o)));
		sum = i16x8.add(sum, i16x8.extadd_pairwise_i8x16_u(differing));
	}
	return <f32>sumI32(i32x4.extadd_pairwise_i16x8_u(sum));
}
