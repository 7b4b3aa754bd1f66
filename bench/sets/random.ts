/** Seeded random numbers: the same everywhere, so that a set made on one machine is the set made on another. */
export interface Random {
	/** Uniform in [0, 1), 32 bits fine. */
	uniform(): number;
	/** Normally distributed, mean 0, variance 1. */
	gaussian(): number;
}

/** xoshiro128** of Blackman and Vigna, its state filled by the finaliser of MurmurHash3; gaussians by the polar method of Marsaglia. */
export function seeded(seed: number): Random {
	const state = Uint32Array.from({ length: 4 }, (_, at) => mix(seed + Math.imul(at + 1, 0x9e3779b9)));
	let spare: number | undefined;
	const uniform = () => next(state) / 4_294_967_296;
	return {
		uniform,
		gaussian() {
			if (spare !== undefined) {
				const value = spare;
				spare = undefined;
				return value;
			}
			for (;;) {
				const x = 2 * uniform() - 1;
				const y = 2 * uniform() - 1;
				const square = x * x + y * y;
				if (square >= 1 || square === 0) continue;
				const scale = Math.sqrt((-2 * Math.log(square)) / square);
				spare = y * scale;
				return x * scale;
			}
		},
	};
}

function next(state: Uint32Array): number {
	const [a, b, c, d] = state as unknown as [number, number, number, number];
	const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
	const e = c ^ a;
	const f = d ^ b;
	state[0] = a ^ f;
	state[1] = b ^ e;
	state[2] = e ^ (b << 9);
	state[3] = rotate(f, 11);
	return result;
}

function rotate(x: number, by: number): number {
	return (x << by) | (x >>> (32 - by));
}

function mix(value: number): number {
	let h = value | 0;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}
