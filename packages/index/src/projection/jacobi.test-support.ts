/** Eigenvalues of a symmetric matrix (n x n, row-major, float64), largest first: cyclic Jacobi rotations (Golub and Van Loan, 8.5). */
export function eigenvalues(matrix: Float64Array, n: number): Float64Array {
	const a = matrix.slice();
	const at = (i: number, j: number) => a[i * n + j] as number;
	const whole = a.reduce((sum, x) => sum + x * x, 0);
	for (let sweep = 0; sweep < 30; sweep++) {
		let off = 0;
		for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += at(p, q) ** 2;
		if (off <= 1e-24 * whole) break;
		for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, n, p, q);
	}
	return Float64Array.from({ length: n }, (_, i) => at(i, i)).sort((x, y) => y - x);
}

/** Makes the elements (p, q) and (q, p) zero. */
function rotate(a: Float64Array, n: number, p: number, q: number): void {
	const pq = a[p * n + q] as number;
	if (pq === 0) return;
	const theta = ((a[q * n + q] as number) - (a[p * n + p] as number)) / (2 * pq);
	const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
	const c = 1 / Math.sqrt(t * t + 1);
	const s = t * c;
	for (let i = 0; i < n; i++) {
		const [x, y] = [a[i * n + p] as number, a[i * n + q] as number];
		a[i * n + p] = c * x - s * y;
		a[i * n + q] = s * x + c * y;
	}
	for (let j = 0; j < n; j++) {
		const [x, y] = [a[p * n + j] as number, a[q * n + j] as number];
		a[p * n + j] = c * x - s * y;
		a[q * n + j] = s * x + c * y;
	}
}

/** The covariance of rows about their mean, in float64. */
export function covariance(rows: readonly ArrayLike<number>[]): Float64Array {
	const d = rows[0]?.length ?? 0;
	const mean = Float64Array.from(
		{ length: d },
		(_, j) => rows.reduce((sum, row) => sum + (row[j] as number), 0) / rows.length,
	);
	const all = new Float64Array(d * d);
	for (const row of rows) {
		const centred = Float64Array.from(mean, (m, j) => (row[j] as number) - m);
		for (let i = 0; i < d; i++) {
			const x = (centred[i] as number) / rows.length;
			for (let j = 0; j < d; j++) all[i * d + j] = (all[i * d + j] as number) + x * (centred[j] as number);
		}
	}
	return all;
}

/** The variance along a direction. */
export function varianceAlong(matrix: Float64Array, axis: ArrayLike<number>): number {
	const d = axis.length;
	let sum = 0;
	for (let i = 0; i < d; i++) {
		let product = 0;
		for (let j = 0; j < d; j++) product += (matrix[i * d + j] as number) * (axis[j] as number);
		sum += (axis[i] as number) * product;
	}
	return sum;
}

/** `n` rows of `d` normal numbers whose spread along hidden orthogonal directions is `deviation(i)`, `offset` away from the origin. */
export function spreadRows(
	random: () => number,
	n: number,
	d: number,
	deviation: (i: number) => number,
	offset = 0,
): Float32Array[] {
	const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
	// Reflections are orthogonal whatever their normals.
	const mirrors = Array.from({ length: Math.min(d, 3) }, () => {
		const v = Float64Array.from({ length: d }, normal);
		const length = Math.hypot(...v);
		return v.map((x) => x / length);
	});
	return Array.from({ length: n }, () => {
		const row = Float64Array.from({ length: d }, (_, i) => deviation(i) * normal());
		for (const v of mirrors) {
			const along = 2 * v.reduce((sum, x, i) => sum + x * (row[i] as number), 0);
			for (let i = 0; i < d; i++) row[i] = (row[i] as number) - along * (v[i] as number);
		}
		return Float32Array.from(row, (x) => x + offset);
	});
}
