/** log Gamma(x) for x > 0, by Lanczos' approximation (g = 7, 9 terms): relative error below 1e-13. */
function logGamma(x: number): number {
	const terms = [
		0.999_999_999_999_809_93, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13,
		-176.615_029_162_140_59, 12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_571_6e-6,
		1.505_632_735_149_311_6e-7,
	];
	const shifted = x - 1;
	let sum = terms[0] as number;
	for (let i = 1; i < terms.length; i++) sum += (terms[i] as number) / (shifted + i);
	const t = shifted + 7.5;
	return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}

/**
 * The regularised incomplete beta function I_x(a, b), by the continued fraction of Numerical Recipes (3rd ed., 6.4; Lentz's method). For whole
 * a and b it tells binomial tails: P(Bin(n, x) >= a) = I_x(a, n - a + 1).
 *
 * @param x 0 to 1. `a` and `b` are above 0.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
	if (x <= 0) return 0;
	if (x >= 1) return 1;
	// The fraction converges quickly on one side of the mean; the other is told by symmetry.
	if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
	const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logGamma(a) - logGamma(b) + logGamma(a + b)) / a;
	return front * fraction(x, a, b);
}

const TINY = 1e-300;

function fraction(x: number, a: number, b: number): number {
	let c = 1;
	let d = 1 / nonzero(1 - ((a + b) * x) / (a + 1));
	let value = d;
	for (let m = 1; m <= 100_000; m++) {
		for (const term of [
			(m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
			(-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
		]) {
			d = 1 / nonzero(1 + term * d);
			c = nonzero(1 + term / c);
			value *= c * d;
		}
		if (Math.abs(c * d - 1) < 1e-15) break;
	}
	return value;
}

function nonzero(value: number): number {
	return Math.abs(value) < TINY ? TINY : value;
}

/** P(Bin(n, p) <= x). */
export function binomialAtMost(x: number, n: number, p: number): number {
	if (x < 0) return 0;
	return x >= n ? 1 : incompleteBeta(1 - p, n - x, x + 1);
}
