import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A copy of the sources at a commit, with its kernels built, to run from and to be thrown away. */
export function layTree(commit: string, patch?: string): string {
	const tree = mkdtempSync(join(tmpdir(), "nigh-trial-"));
	try {
		fill(tree, commit, patch);
	} catch (error) {
		rmSync(tree, { recursive: true, force: true });
		throw error;
	}
	return tree;
}

function fill(tree: string, commit: string, patch: string | undefined): void {
	const archive = execFileSync("git", ["archive", commit, "packages", "scripts", "package.json"], {
		cwd: ROOT,
		maxBuffer: 1 << 28,
	});
	execFileSync("tar", ["-x"], { cwd: tree, input: archive });
	linkModules(tree);
	// A tree of its own, so that the patch is not looked for in a repository around it.
	if (patch !== undefined)
		execFileSync("git", ["apply", "-"], { cwd: tree, input: patch, env: { ...process.env, GIT_DIR: "." } });
	execFileSync(process.execPath, ["scripts/build-kernels.ts"], { cwd: tree, stdio: ["ignore", "ignore", "inherit"] });
}

/** The modules of this workspace, except that its own packages are those of the tree. */
function linkModules(tree: string): void {
	const from = join(ROOT, "node_modules");
	const to = join(tree, "node_modules");
	mkdirSync(join(to, "@nigh"), { recursive: true });
	for (const name of readdirSync(from))
		if (name !== "@nigh" && name !== "nigh") symlinkSync(join(from, name), join(to, name));
	for (const name of readdirSync(join(tree, "packages"))) {
		symlinkSync(join(tree, "packages", name), name === "nigh" ? join(to, name) : join(to, "@nigh", name));
	}
}
