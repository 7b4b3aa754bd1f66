import { add, dot } from "./orthonormal.ts";

/**
 * All axes of a space of which the first are known: the columns of a product of Householder reflections (Golub and Van Loan, Matrix Computations, 5.1 and 5.2)
 * that takes the first unit vectors to the known axes. The rest are at right angles to them and to each other, and are made one by one.
 */
export class Complement {
	readonly #axes: Float64Array;
	readonly #known: number;
	readonly #d: number;
	/** A unit normal of each reflection. */
	readonly #normals: Float64Array;

	/** @param axes Orthonormal rows of `d` elements. */
	constructor(axes: Float64Array, d: number) {
		this.#axes = axes;
		this.#d = d;
		this.#known = axes.length / d;
		this.#normals = axes.slice();
		for (let i = 0; i < this.#known; i++) {
			const row = this.#normal(i);
			for (let before = 0; before < i; before++) reflect(row, this.#normal(before));
			// The reflections before have taken what is left of it to the later elements.
			row.fill(0, 0, i);
			row[i] = (row[i] as number) + ((row[i] as number) < 0 ? -1 : 1) * Math.sqrt(dot(row, row));
			const length = Math.sqrt(dot(row, row));
			for (let j = i; j < d; j++) row[j] = (row[j] as number) / length;
		}
	}

	/** Axis `i` of `d`: a known one, or another. */
	axis(i: number): Float64Array {
		const d = this.#d;
		if (i < this.#known) return this.#axes.subarray(i * d, (i + 1) * d);
		const axis = new Float64Array(d);
		axis[i] = 1;
		for (let each = this.#known - 1; each >= 0; each--) reflect(axis, this.#normal(each));
		return axis;
	}

	#normal(i: number): Float64Array {
		return this.#normals.subarray(i * this.#d, (i + 1) * this.#d);
	}
}

function reflect(row: Float64Array, normal: Float64Array): void {
	add(row, normal, -2 * dot(row, normal));
}
