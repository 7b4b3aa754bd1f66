// The lock file has to work with any registry or mirror, on any platform.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../workspace.ts";

interface LockedPackage {
	readonly version?: string;
	readonly resolved?: string;
	readonly integrity?: string;
	readonly link?: boolean;
	readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What is wrong with package-lock.json. */
export function checkLockfile(workspace: string = root): string[] {
	return checkLockText(readFileSync(join(workspace, "package-lock.json"), "utf8"));
}

/** What is wrong with the text of a package-lock.json. */
export function checkLockText(text: string): string[] {
	const packages: Readonly<Record<string, LockedPackage>> = JSON.parse(text).packages ?? {};
	const problems: string[] = [];
	for (const [path, entry] of Object.entries(packages)) {
		if (entry.resolved !== undefined && /^[a-z+]+:/.test(entry.resolved)) {
			problems.push(`${path} names a host (${entry.resolved}): keep omit-lockfile-registry-resolved=true in .npmrc.`);
		}
		if (path.startsWith("node_modules/") && !entry.link && entry.integrity === undefined) {
			problems.push(`${path} has no integrity hash: it was not resolved from a registry.`);
		}
		// A registry that lacks the build for one platform leaves it out without a word, and `npm ci` refuses the lock file.
		for (const name of Object.keys(entry.optionalDependencies ?? {})) {
			if (packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined) {
				problems.push(
					`${path} wants ${name} on some platform, but it is not locked: choose a version whose builds all exist.`,
				);
			}
		}
	}
	return problems;
}
