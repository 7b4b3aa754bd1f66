import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pinned } from "../run/pinned.ts";
import type { SetOptions } from "../sets/load.ts";
import type { Comparison } from "./compare.ts";
import { layTree } from "./tree.ts";
import type { Trial } from "./trial.ts";

/** Lays the tree as it was and the tree with the change, and compares them on each set, one thread, pinned to a core. */
export function runTrial({ base, patch }: Trial, sets: readonly SetOptions[]): Comparison[] {
	const trees: string[] = [];
	try {
		for (const change of [undefined, patch]) trees.push(layTree(base, change));
		const compare = fileURLToPath(new URL("./compare.ts", import.meta.url));
		return sets.map((set) => {
			const command = [
				...pinned(),
				process.execPath,
				"--conditions=@nigh/source",
				compare,
				...trees,
				JSON.stringify(set),
			];
			const [program, ...args] = command as [string, ...string[]];
			return JSON.parse(execFileSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26 })) as Comparison;
		});
	} finally {
		for (const tree of trees) rmSync(tree, { recursive: true, force: true });
	}
}
