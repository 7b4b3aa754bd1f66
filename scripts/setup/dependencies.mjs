import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, join, resolve, sep } from "node:path";

/** The oldest Node that runs the sources when the pinned one cannot be had. */
const OLDEST_MAJOR = 24;

/**
 * Whether node_modules is what package-lock.json says. The answer of the last time is kept as a hash; where there is none, or
 * it is another one (only a script in package.json has changed, or somebody ran `npm ci` by hand), npm's own record decides.
 *
 * @param {string} root
 */
export function dependenciesAreFresh(root) {
	const hash = hashOf(root);
	if (readStamp(root)?.hash === hash) return true;
	if (!installedMatchesLock(root)) return false;
	writeStamp(root, { hash, pinned: pinnedNodeRuns(root) });
	return true;
}

/**
 * Runs `npm ci` and returns how long it took, in words.
 *
 * @param {string} root
 */
export function installDependencies(root) {
	const started = performance.now();
	rmSync(stampFile(root), { force: true });
	let result = npm(root, ciArguments);
	// The install script of the `node` package is the only one; a machine it has no binary for can do without, if its own Node is new.
	if (result.status !== 0 && outsideMajor(root) >= OLDEST_MAJOR)
		result = npm(root, [...ciArguments, "--ignore-scripts"]);
	if (result.status !== 0) {
		process.stderr.write(`\n${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}\n`);
		throw new Error(
			"npm ci failed, see its output above. Check the network and the registry (npm ping). If package.json and " +
				"package-lock.json disagree, run npm install. Then run the same command again.",
		);
	}
	writeStamp(root, { hash: hashOf(root), pinned: pinnedNodeRuns(root) });
	return seconds(started);
}

/**
 * The Node that runs the scripts: the pinned one, else one outside node_modules that is new enough.
 *
 * @param {string} root
 */
export function nodeForScripts(root) {
	const pinned = pinnedNode(root);
	if (readStamp(root)?.pinned && existsSync(pinned)) return pinned;
	if (outsideMajor(root) >= OLDEST_MAJOR) return outsideNode(root);
	// The next run is to look again.
	rmSync(stampFile(root), { force: true });
	throw new Error(
		`the pinned Node (devDependency "node") is not installed and this machine's Node is ${outsideVersion(root)}: install Node ` +
			`${OLDEST_MAJOR} or newer, or let npm run that package's install script (npm rebuild node --ignore-scripts=false).`,
	);
}

/**
 * npm's record of what it installed against the lock file, and the lock file's record of package.json against package.json.
 * Packages for other platforms are in the lock file and not installed.
 *
 * @param {string} root
 */
export function installedMatchesLock(root) {
	const lock = readJson(join(root, "package-lock.json"));
	const installed = readJson(join(root, "node_modules", ".package-lock.json"));
	const manifest = readJson(join(root, "package.json"));
	if (!lock?.packages || !installed?.packages || !manifest) return false;
	for (const kind of ["dependencies", "devDependencies", "optionalDependencies"]) {
		const wanted = Object.entries(manifest[kind] ?? {}).sort();
		const locked = Object.entries(lock.packages[""]?.[kind] ?? {}).sort();
		if (JSON.stringify(wanted) !== JSON.stringify(locked)) return false;
	}
	return Object.keys(lock.packages).every((path) => {
		const wanted = lock.packages[path];
		const found = installed.packages[path];
		if (path === "" || (wanted.optional && !found)) return true;
		return found !== undefined && found.version === wanted.version && found.integrity === wanted.integrity;
	});
}

/** @param {string} root */
export function pinnedNode(root) {
	return join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
}

/** @param {number} started */
export function seconds(started) {
	return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

// NODE_ENV=production or omit=dev in the environment would leave the compiler out; warnings about the age of the machine's
// Node would be the first thing a newcomer reads, though nothing here runs on it.
const ciArguments = ["ci", "--include=dev", "--loglevel=error", "--no-audit", "--no-fund"];

/**
 * @param {string} root
 * @param {string[]} args
 */
function npm(root, args) {
	// npm tells its scripts where it is and which Node it runs on. That Node must not be the one that `npm ci` is about to replace.
	const cli = process.env.npm_execpath ?? "";
	const known = /^npm-cli\.[cm]?js$/.test(basename(cli));
	const node = process.env.npm_node_execpath ?? process.execPath;
	const outside = known && !node.startsWith(modules(root));
	return spawnSync(outside ? node : "npm", outside ? [cli, ...args] : args, {
		cwd: root,
		encoding: "utf8",
		env: outsideEnvironment(root),
		maxBuffer: 1 << 28,
		shell: !outside && process.platform === "win32",
		stdio: ["ignore", "pipe", "pipe"],
	});
}

/** @param {string} root */
function outsideVersion(root) {
	if (!process.execPath.startsWith(modules(root))) return process.version;
	const result = spawnSync(outsideNode(root), ["--version"], { encoding: "utf8", env: outsideEnvironment(root) });
	return result.status === 0 ? result.stdout.trim() : "missing";
}

/** @param {string} root */
function outsideMajor(root) {
	return Number(/^v(\d+)/.exec(outsideVersion(root))?.[1] ?? 0);
}

/** @param {string} root */
function outsideNode(root) {
	return process.execPath.startsWith(modules(root)) ? "node" : process.execPath;
}

/**
 * The environment without this checkout's node_modules on the PATH.
 *
 * @param {string} root
 */
function outsideEnvironment(root) {
	const env = { ...process.env };
	const key = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
	env[key] = (env[key] ?? "")
		.split(delimiter)
		.filter((folder) => !`${resolve(folder)}${sep}`.startsWith(modules(root)))
		.join(delimiter);
	return env;
}

/** @param {string} root */
function modules(root) {
	return join(root, "node_modules") + sep;
}

/**
 * Whether the pinned Node starts here. One that does not (built for another C library, say) is taken off the PATH of npm's
 * scripts, so that they find the machine's own.
 *
 * @param {string} root
 */
function pinnedNodeRuns(root) {
	if (spawnSync(pinnedNode(root), ["--version"], { stdio: "ignore" }).status === 0) return true;
	rmSync(join(root, "node_modules", ".bin", "node"), { force: true });
	return false;
}

/** @param {string} root */
function stampFile(root) {
	return join(root, "node_modules", ".nigh-setup.json");
}

/** @param {string} root */
function hashOf(root) {
	const hash = createHash("sha256");
	for (const file of ["package-lock.json", "package.json"]) hash.update(readFileSync(join(root, file))).update("\0");
	return hash.digest("hex");
}

/**
 * @param {string} root
 * @returns {{ hash: string, pinned: boolean } | undefined}
 */
function readStamp(root) {
	return readJson(stampFile(root));
}

/**
 * @param {string} root
 * @param {{ hash: string, pinned: boolean }} stamp
 */
function writeStamp(root, stamp) {
	const temporary = `${stampFile(root)}.${process.pid}`;
	writeFileSync(temporary, `${JSON.stringify(stamp)}\n`);
	renameSync(temporary, stampFile(root));
}

/** @param {string} path */
function readJson(path) {
	try {
		return JSON.parse(readFileSync(path, "utf8"));
	} catch {
		return undefined;
	}
}
