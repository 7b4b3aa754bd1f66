/** a / b of whole numbers of any size, as the nearest double but for the last bit. */
function ratio(a: bigint, b: bigint): number {
	if (a === 0n) return 0;
	const shift = BigInt(Math.max(0, 64 - (a.toString(2).length - b.toString(2).length)));
	return Number((a << shift) / b) / 2 ** Number(shift);
}

/** P(Bin(n, p / q) <= x) of whole numbers, by adding up exactly. */
export function exactAtMost(x: number, n: number, p: number, q: number): number {
	let sum = 0n;
	let choose = 1n;
	for (let j = 0; j <= Math.min(x, n); j++) {
		sum += choose * BigInt(p) ** BigInt(j) * BigInt(q - p) ** BigInt(n - j);
		choose = (choose * BigInt(n - j)) / BigInt(j + 1);
	}
	return ratio(sum, BigInt(q) ** BigInt(n));
}

/** P(Bin(n, p) = j) for j = 0 to n, from the mode outwards, so that nothing is far from what it is computed from. Sums to 1. */
export function binomialMasses(n: number, p: number): Float64Array {
	const masses = new Float64Array(n + 1);
	const mode = Math.min(n, Math.floor((n + 1) * p));
	masses[mode] = 1;
	for (let j = mode; j < n; j++) masses[j + 1] = ((masses[j] as number) * (n - j) * p) / ((j + 1) * (1 - p));
	for (let j = mode; j > 0; j--) masses[j - 1] = ((masses[j] as number) * j * (1 - p)) / ((n - j + 1) * p);
	const sum = masses.reduce((total, mass) => total + mass, 0);
	return masses.map((mass) => mass / sum);
}

/** P(Bin(n, p) <= x) by adding up {@link binomialMasses}. */
export function summedAtMost(x: number, n: number, p: number): number {
	return binomialMasses(n, p)
		.subarray(0, x + 1)
		.reduce((total, mass) => total + mass, 0);
}
