// Who may import whom: the arrows of ../floors.ts, for values and for types. TypeScript itself reads the files, so that
// `import type`, `import("x").T` and `/// <reference>` are seen as well as plain imports.
import { isBuiltin } from "node:module";
import { join, relative, resolve, sep } from "node:path";
import { isStringLiteral } from "typescript/unstable/ast/is";
import { API } from "typescript/unstable/sync";
import { FLOORS, type Floor } from "../floors.ts";
import { listPackages, type Package, root } from "../workspace.ts";

const TEST_FILE = /\.(test|test-support)\.ts$/;
/** What a test may import besides packages on lower floors and what Node has: tests run in Node, whatever they test. */
const TEST_TOOL = "fast-check";

/** One specifier in one file. */
interface Import {
	readonly owner: Package;
	/** The importing file, absolute. */
	readonly file: string;
	readonly specifier: string;
	readonly isTest: boolean;
}

/** Every arrow that the table does not allow, one line each, for the packages of `workspace` (it needs a tsconfig.json). */
export function checkImports(workspace: string = root): string[] {
	const packages = listPackages(workspace);
	const problems = packages.flatMap((each) => checkManifest(each, packages));
	for (const found of readImports(workspace, packages)) {
		const problem = judge(found, packages);
		if (problem !== undefined) problems.push(`${relative(workspace, found.file)}: ${problem}`);
	}
	return problems;
}

function checkManifest({ name, manifest }: Package, packages: readonly Package[]): string[] {
	const floor = FLOORS[name];
	if (floor === undefined) return [`${name} has no floor: give it one in scripts/floors.ts.`];
	const problems: string[] = [];
	for (const [dependency, version] of Object.entries(declared(manifest))) {
		const target = packages.find((each) => each.name === dependency);
		if (target === undefined) {
			if (floor.alone) problems.push(`${name} depends on ${dependency}, but it is to have no dependency at run time.`);
			continue;
		}
		if (!floor.mayImport.includes(dependency))
			problems.push(`${name} depends on ${dependency}: ${refusal(name, dependency)}`);
		if (version !== target.manifest.version) {
			problems.push(`${name} depends on ${dependency} ${version}, but the workspace has ${target.manifest.version}.`);
		}
	}
	return problems;
}

function readImports(workspace: string, packages: readonly Package[]): Import[] {
	const api = new API({ cwd: workspace });
	try {
		const snapshot = api.updateSnapshot({ openProjects: [join(workspace, "tsconfig.json")] });
		const program = snapshot.getProjects()[0]?.program;
		if (program === undefined) throw new Error(`TypeScript cannot open ${join(workspace, "tsconfig.json")}.`);
		const imports: Import[] = [];
		for (const file of program.getSourceFileNames()) {
			const owner = packages.find(
				(each) => isInside(file, each.folder) && !isInside(file, join(each.folder, "node_modules")),
			);
			const source = owner && program.getSourceFile(file);
			if (owner === undefined || source === undefined) continue;
			const isTest = TEST_FILE.test(file) || isInside(file, join(owner.folder, "test"));
			const specifiers = [
				...source.imports.filter(isStringLiteral).map((each) => each.text),
				...source.typeReferenceDirectives.map((each) => each.fileName),
				...source.referencedFiles.map((each) => (each.fileName.startsWith(".") ? each.fileName : `./${each.fileName}`)),
			];
			for (const specifier of specifiers) imports.push({ owner, file, specifier, isTest });
		}
		return imports;
	} finally {
		api.close();
	}
}

/** What is wrong with an import; `undefined` when nothing is. */
function judge({ owner, file, specifier, isTest }: Import, packages: readonly Package[]): string | undefined {
	const floor = FLOORS[owner.name];
	// Reported once, for its manifest.
	if (floor === undefined) return undefined;
	if (isTest && (specifier === TEST_TOOL || isBuiltin(specifier))) return undefined;
	if (specifier.startsWith(".") || specifier.startsWith("/")) {
		const target = resolve(file, "..", specifier);
		if (!isInside(target, owner.folder)) return `"${specifier}" leaves the package: import the other one by its name.`;
		if (!isTest && TEST_FILE.test(target)) return `"${specifier}" is test code, which is not packed.`;
		return undefined;
	}
	// `/// <reference types="node" />` brings all of Node's types along.
	if (isBuiltin(specifier) || specifier === "node") {
		return floor.pure ? `${owner.name} is pure: it may not import "${specifier}".` : undefined;
	}
	const name = packageName(specifier);
	const target = packages.find((each) => each.name === name);
	if (target !== undefined) return judgeArrow(owner, floor, target, specifier, isTest);
	if (FLOORS[name] !== undefined) return `"${name}" is no package of this workspace yet.`;
	if (floor.alone) return `${owner.name} is to have no dependency at run time: it may not import "${specifier}".`;
	return name in declared(owner.manifest) ? undefined : undeclared(owner, name);
}

function judgeArrow(
	owner: Package,
	floor: Floor,
	target: Package,
	specifier: string,
	isTest: boolean,
): string | undefined {
	const subpath = `.${specifier.slice(target.name.length)}`;
	if (!isExported(target, subpath)) return `"${specifier}" reaches past the exports of ${target.name}.`;
	if (target.name === owner.name)
		return isTest ? undefined : `"${specifier}" is the package itself: import relatively.`;
	if (floor.mayImport.includes(target.name)) {
		return isTest || target.name in declared(owner.manifest) ? undefined : undeclared(owner, target.name);
	}
	if (isTest && (FLOORS[target.name]?.floor ?? Number.POSITIVE_INFINITY) < floor.floor) return undefined;
	return refusal(owner.name, target.name);
}

function refusal(from: string, to: string): string {
	const place = (name: string) => `${name} (floor ${FLOORS[name]?.floor ?? "none"})`;
	const allowed = FLOORS[from]?.mayImport ?? [];
	return `${place(from)} may not import ${place(to)}, only ${allowed.length > 0 ? allowed.join(", ") : "nothing"}.`;
}

function undeclared(owner: Package, name: string): string {
	return `"${name}" is not among the dependencies in the package.json of ${owner.name}.`;
}

function declared(manifest: Package["manifest"]): Readonly<Record<string, string>> {
	return { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
}

function packageName(specifier: string): string {
	const parts = specifier.split("/");
	return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function isExported({ manifest }: Package, subpath: string): boolean {
	return Object.keys(manifest.exports ?? {}).some((key) => {
		const [before, after] = key.split("*") as [string, string | undefined];
		return after === undefined ? key === subpath : subpath.startsWith(before) && subpath.endsWith(after);
	});
}

function isInside(path: string, folder: string): boolean {
	return `${resolve(path)}${sep}`.startsWith(`${resolve(folder)}${sep}`);
}
