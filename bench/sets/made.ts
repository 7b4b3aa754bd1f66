import { generated, type Rows, type Shape, uniform } from "./generated.ts";
import { BINS, palettes } from "./palettes.ts";

/** A set that is made from a seed and needs no file. */
export interface MadeSet {
	about(shape: Shape): string;
	make(shape: Shape): Rows;
	/** Vectors unless the command line says otherwise. */
	readonly n: number;
	/** Of a set that has them in one number only. */
	readonly dimensions?: number;
}

export const MADE_SETS: Readonly<Record<string, MadeSet>> = {
	generated: {
		about: ({ dimensions, seed }) =>
			`a mixture of Gaussians in 20 latent dimensions mapped to ${dimensions} with noise, seed ${seed}`,
		make: generated,
		n: 100_000,
	},
	uniform: {
		about: ({ seed }) => `independent uniform numbers, seed ${seed}: the hard case`,
		make: uniform,
		n: 100_000,
	},
	palettes: {
		about: ({ seed }) =>
			`square roots of histograms of colours, two to five Gaussians over 8 x 12 x 12 bins, seed ${seed}`,
		make: palettes,
		n: 20_000,
		dimensions: BINS,
	},
};
