// The packages as a user gets them: packed, installed together into an empty folder, imported, type-checked and run without
// anything of this checkout. Needs the build.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FLOORS } from "../floors.ts";
import { type Finished, runNode, runNpm, runTool } from "../processes.ts";
import { listPackages, type Package, root } from "../workspace.ts";

/** What `npm pack --json` says of one package. */
export interface Tarball {
	readonly name: string;
	readonly filename: string;
	readonly files: readonly { readonly path: string }[];
}

/** What is wrong with the packed packages. */
export async function checkPacked(): Promise<string[]> {
	const packages = listPackages().filter(({ manifest }) => manifest.private !== true);
	const unbuilt = packages.filter(({ folder }) => !existsSync(join(folder, "dist", "index.js")));
	if (unbuilt.length > 0) return unbuilt.map(({ name }) => `${name} has no dist/index.js: run npm run build first.`);
	// The space is on purpose.
	const folder = mkdtempSync(join(tmpdir(), "nigh packed "));
	try {
		const tarballs = await pack(packages, folder);
		return [
			...packages.flatMap((each) => checkLicense(each)),
			...tarballs.flatMap(checkContents),
			...(await use(tarballs, folder)),
		];
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** What is in a tarball and should not be, or is not and should. */
export function checkContents({ name, files }: Tarball): string[] {
	const paths = files.map(({ path }) => path);
	const problems = ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"]
		.filter((path) => !paths.includes(path))
		.map((path) => `${name}: ${path} is not packed.`);
	for (const path of paths) {
		const isDeclaration = path.endsWith(".d.ts");
		if (/\.(test|test-support)\./.test(path)) problems.push(`${name}: ${path} is test code.`);
		else if (path.startsWith("assembly/") || path.includes("/assembly/"))
			problems.push(`${name}: ${path} is AssemblyScript.`);
		else if (path.startsWith("src/") || (/\.[cm]?tsx?$/.test(path) && !isDeclaration))
			problems.push(`${name}: ${path} is a source.`);
		else if (!/^(dist|bin)\//.test(path) && !/^(package\.json|README\.md|LICENSE)$/.test(path)) {
			problems.push(`${name}: ${path} is not expected in a package.`);
		}
	}
	return problems;
}

function checkLicense({ name, folder }: Package): string[] {
	const path = join(folder, "LICENSE");
	const same = existsSync(path) && readFileSync(path, "utf8") === readFileSync(join(root, "LICENSE"), "utf8");
	return same ? [] : [`${name}: its LICENSE is not a copy of the one at the top.`];
}

async function pack(packages: readonly Package[], folder: string): Promise<Tarball[]> {
	const chosen = packages.flatMap(({ name }) => ["--workspace", name]);
	const result = await runNpm(["pack", "--json", "--loglevel=error", "--pack-destination", folder, ...chosen], root);
	mustSucceed("npm pack", result);
	return JSON.parse(result.stdout);
}

async function use(tarballs: readonly Tarball[], folder: string): Promise<string[]> {
	const consumer = join(folder, "consumer");
	mkdirSync(consumer);
	writeFileSync(join(consumer, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }\n');
	// All at once: they find one another, and the registry is not asked for them.
	const files = tarballs.map(({ filename }) => join(folder, filename));
	const install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
	mustSucceed("npm install of the tarballs", await runNpm([...install, ...files], consumer));
	for (const file of ["program.mjs", "consumer.ts"]) {
		copyFileSync(join(import.meta.dirname, "packed", file), join(consumer, file));
	}
	const pure = tarballs.map(({ name }) => name).filter((name) => FLOORS[name]?.pure);
	return checkInstalled(consumer, pure);
}

/**
 * What fails in a folder where the packages are installed, and that has a `program.mjs` to run and a `consumer.ts` to type-check.
 * The declarations of the `pure` packages are checked on their own as well: without Node's types.
 */
export async function checkInstalled(consumer: string, pure: readonly string[]): Promise<string[]> {
	return [await runProgram(consumer), await typeCheck(consumer, pure), ...(await runCommand(consumer))].filter(
		(problem) => problem !== undefined,
	);
}

async function runProgram(consumer: string): Promise<string | undefined> {
	const { code, output } = await runNode("program.mjs", [], consumer);
	return code === 0 ? undefined : `program.mjs fails with the packed packages:\n${output.trim()}`;
}

async function typeCheck(consumer: string, pure: readonly string[]): Promise<string | undefined> {
	const lines = pure.map((name, at) => `export * as p${at} from "${name}";\n`);
	writeFileSync(join(consumer, "browser.ts"), lines.join(""));
	const options = { strict: true, noEmit: true, module: "nodenext", target: "es2024", lib: ["es2024", "dom"] };
	const nodeTypes = { types: ["node"], typeRoots: [join(root, "node_modules", "@types")] };
	for (const { file, settings } of [
		{ file: "consumer.ts", settings: { ...nodeTypes, lib: ["es2024"], skipLibCheck: false } },
		{ file: "browser.ts", settings: { types: [], skipLibCheck: false } },
	]) {
		const config = join(consumer, "tsconfig.json");
		writeFileSync(config, JSON.stringify({ compilerOptions: { ...options, ...settings }, files: [file] }));
		const { code, output } = await runTool("typescript/bin/tsc", ["-p", config, "--pretty", "false"], consumer);
		if (code !== 0) return `${file} does not type-check against the packed declarations:\n${output.trim()}`;
	}
	return undefined;
}

/** `npx nigh`, as a user calls it. */
async function runCommand(consumer: string): Promise<string[]> {
	const { version } = JSON.parse(readFileSync(join(consumer, "node_modules", "nigh", "package.json"), "utf8"));
	const problems: string[] = [];
	for (const { argument, expected } of [
		{ argument: "--version", expected: version },
		{ argument: "--help", expected: "nigh" },
	]) {
		const { code, output, stdout } = await runNpm(["exec", "--offline", "--", "nigh", argument], consumer);
		if (code !== 0) problems.push(`npx nigh ${argument} exits with ${code}:\n${output.trim()}`);
		else if (!stdout.includes(expected))
			problems.push(`npx nigh ${argument} does not print "${expected}" but:\n${output.trim()}`);
	}
	return problems;
}

function mustSucceed(what: string, { code, output }: Finished): void {
	if (code !== 0) throw new Error(`${what} fails with exit code ${code}:\n${output.trim()}`);
}
