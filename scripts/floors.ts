/** Where a package stands and what it may look at. */
export interface Floor {
	/** 1 is the ground. An arrow points to a lower floor, or to a package further up in the table on the same one. */
	readonly floor: 1 | 2 | 3 | 4 | 5;
	/** The packages it may import. */
	readonly mayImport: readonly string[];
	/** No Node module, no I/O, no clock, no thread: it runs in a browser as it is. */
	readonly pure?: true;
	/** Nothing from outside this repository at run time. */
	readonly alone?: true;
}

const ground = ["@nigh/contract", "@nigh/kernels"];
const second = ["@nigh/index", "@nigh/threads", "@nigh/formats", "@nigh/embed", "@nigh/recall"];
const third = ["@nigh/embedded", "@nigh/postgres", "@nigh/client"];
const fourth = ["@nigh/patterns", "@nigh/memory", "@nigh/files", "@nigh/colors", "@nigh/migrate"];
const lowerFour = [...ground, ...second, ...third, ...fourth];
const stores: Floor = { floor: 4, mayImport: ["@nigh/contract", "@nigh/embed"] };

/** The house, from the ground up: who may import whom. The order is also the order in which the packages are built. */
export const FLOORS: Readonly<Record<string, Floor>> = {
	"@nigh/contract": { floor: 1, mayImport: [], pure: true, alone: true },
	"@nigh/kernels": { floor: 1, mayImport: [], pure: true, alone: true },
	"@nigh/index": { floor: 2, mayImport: ["@nigh/kernels", "@nigh/contract"], pure: true, alone: true },
	"@nigh/threads": { floor: 2, mayImport: ["@nigh/kernels", "@nigh/index"] },
	"@nigh/formats": { floor: 2, mayImport: ["@nigh/contract"], pure: true },
	"@nigh/embed": { floor: 2, mayImport: ["@nigh/contract"] },
	"@nigh/recall": { floor: 2, mayImport: ["@nigh/contract"], pure: true },
	"@nigh/embedded": {
		floor: 3,
		mayImport: ["@nigh/contract", "@nigh/recall", "@nigh/index", "@nigh/threads", "@nigh/kernels"],
	},
	"@nigh/postgres": { floor: 3, mayImport: ["@nigh/contract", "@nigh/recall"] },
	"@nigh/client": { floor: 3, mayImport: ["@nigh/contract"] },
	"@nigh/patterns": stores,
	"@nigh/memory": stores,
	"@nigh/files": stores,
	"@nigh/colors": stores,
	"@nigh/migrate": { floor: 4, mayImport: ["@nigh/contract", "@nigh/formats"] },
	nigh: { floor: 5, mayImport: lowerFour },
	"@nigh/server": { floor: 5, mayImport: lowerFour },
	"@nigh/dashboard": { floor: 5, mayImport: ["@nigh/client", "@nigh/contract"] },
};
