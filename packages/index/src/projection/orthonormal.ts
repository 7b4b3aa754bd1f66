/** A part that is shorter than this share of what it was has nothing left but rounding. */
const LEAST_LEFT = 1e-10;

/** What is left of a row is at right angles to the others but for rounding where it is no shorter than this share of what it was. */
const ENOUGH_LEFT = 0.5;

/**
 * Makes rows orthonormal, one after the other (Gram-Schmidt, and once more where little was left, which is enough). One that depends on those before it is
 * replaced by what is left of a unit vector.
 */
export function orthonormalize(rows: Float64Array, m: number, d: number): void {
	let spare = 0;
	for (let i = 0; i < m; i++) {
		const row = rows.subarray(i * d, (i + 1) * d);
		for (;;) {
			const before = length(row);
			let after = takeOutAll(row, rows, i);
			if (after < ENOUGH_LEFT * before) after = takeOutAll(row, rows, i);
			if (after > LEAST_LEFT * before) {
				for (let j = 0; j < d; j++) row[j] = (row[j] as number) / after;
				break;
			}
			row.fill(0);
			row[spare++ % d] = 1;
		}
	}
}

function length(row: Float64Array): number {
	return Math.sqrt(dot(row, row));
}

/** Takes out of a row what lies along the first `n` of the others; returns how long it is then. */
function takeOutAll(row: Float64Array, units: Float64Array, n: number): number {
	const d = row.length;
	for (let other = 0; other < n; other++) {
		const unit = units.subarray(other * d, (other + 1) * d);
		add(row, unit, -dot(row, unit));
	}
	return length(row);
}

/** Four sums, so that one addition does not wait for the one before it. */
export function dot(a: Float64Array, b: Float64Array): number {
	let [s, t, u, v] = [0, 0, 0, 0];
	let j = 0;
	for (; j + 4 <= a.length; j += 4) {
		s += (a[j] as number) * (b[j] as number);
		t += (a[j + 1] as number) * (b[j + 1] as number);
		u += (a[j + 2] as number) * (b[j + 2] as number);
		v += (a[j + 3] as number) * (b[j + 3] as number);
	}
	for (; j < a.length; j++) s += (a[j] as number) * (b[j] as number);
	return s + t + (u + v);
}

export function add(row: Float64Array, other: Float64Array, times: number): void {
	for (let j = 0; j < row.length; j++) row[j] = (row[j] as number) + times * (other[j] as number);
}
