#!/usr/bin/env node
// The `nigh` command. Old JavaScript on purpose: a Node that is too old has to get as far as saying so.
var OLDEST_MAJOR = 24;

if (Number(process.version.slice(1).split(".")[0]) < OLDEST_MAJOR) {
	console.error(
		"nigh needs Node " +
			OLDEST_MAJOR +
			" or newer; this is " +
			process.version +
			". Install one from your package manager or nodejs.org.",
	);
	process.exit(2);
} else {
	Promise.all([import("node:fs"), import("node:path"), import("node:child_process")]).then((modules) => {
		var folder = modules[1].dirname(modules[0].realpathSync(process.argv[1]));
		var source = modules[1].join(folder, "..", "src", "main.ts");
		return modules[0].existsSync(source) ? runSource(source, modules[2].spawn) : import("../dist/main.js");
	});
}

/** In a checkout: runs the sources on this Node, with their condition, in this one's place. */
function runSource(source, spawn) {
	var args = ["--conditions=@nigh/source", source].concat(process.argv.slice(2));
	var child = spawn(process.execPath, args, { stdio: "inherit" });
	var signals = ["SIGINT", "SIGTERM", "SIGHUP"];
	signals.forEach((signal) => {
		process.on(signal, () => {
			// A terminal sends Ctrl-C to both of them.
			if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
		});
	});
	child.on("error", (error) => {
		console.error(error.message);
		process.exit(1);
	});
	child.on("exit", (code, signal) => {
		signals.forEach((each) => {
			process.removeAllListeners(each);
		});
		if (signal === null) process.exit(code);
		else process.kill(process.pid, signal);
	});
}
