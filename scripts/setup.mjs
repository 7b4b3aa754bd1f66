// Makes a fresh clone ready: dependencies from the lock file, the pinned Node with them, and the compiled kernels. npm runs this
// before `start`, `test`, `check`, `build` and `nigh`. It is plain JavaScript without dependencies, because on the first run
// there is nothing but npm and a Node that may be as old as 18. What it writes goes to stderr: stdout belongs to the command.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { dependenciesAreFresh, installDependencies, nodeForScripts } from "./setup/dependencies.mjs";
import { buildKernels, kernelsAreFresh } from "./setup/kernels.mjs";
import { withLock } from "./setup/lock.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const quiet = process.argv.includes("--quiet");

/** @param {string} text */
function say(text) {
	if (!quiet) process.stderr.write(text);
}

function setUp() {
	if (!dependenciesAreFresh(root)) {
		say("setup: installing the dependencies of package-lock.json (npm ci) ... ");
		say(`${installDependencies(root)}\n`);
	}
	const node = nodeForScripts(root);
	if (!kernelsAreFresh(root)) {
		say("setup: compiling the kernels ... ");
		say(`${buildKernels(root, node)}\n`);
	}
}

const isReady = () => dependenciesAreFresh(root) && kernelsAreFresh(root);

try {
	if (isReady()) nodeForScripts(root);
	else {
		mkdirSync(join(root, ".cache"), { recursive: true });
		await withLock(join(root, ".cache", "setup.lock"), setUp, (owner) => {
			say(`setup: waiting for the one that runs already (process ${owner})\n`);
		});
	}
} catch (error) {
	process.stderr.write(`\nsetup: ${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
}
