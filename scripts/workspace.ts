import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FLOORS } from "./floors.ts";

/** The folder of this checkout. */
export const root: string = dirname(import.meta.dirname);

/** The parts of a package.json that the scripts read. */
export interface Manifest {
	readonly name: string;
	readonly version: string;
	readonly private?: boolean;
	readonly exports?: Readonly<Record<string, unknown>>;
	readonly dependencies?: Readonly<Record<string, string>>;
	readonly optionalDependencies?: Readonly<Record<string, string>>;
	readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A package of the workspace. */
export interface Package {
	/** As it is imported: `@nigh/index`. */
	readonly name: string;
	/** Its folder, absolute. */
	readonly folder: string;
	readonly manifest: Manifest;
}

/** The packages under `workspace`, those on lower floors first: nothing comes before what it imports. */
export function listPackages(workspace: string = root): Package[] {
	const packages = join(workspace, "packages");
	const order = Object.keys(FLOORS);
	const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
	return readdirSync(packages)
		.map((name) => join(packages, name))
		.filter((folder) => existsSync(join(folder, "package.json")))
		.map((folder) => {
			const manifest: Manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
			return { name: manifest.name, folder, manifest };
		})
		.sort((a, b) => rank(a.name) - rank(b.name) || (basename(a.folder) < basename(b.folder) ? -1 : 1));
}
