import assert from "node:assert/strict";
import { cpus } from "node:os";
import { test } from "node:test";
import { machineLine, thisMachine } from "./machine.ts";

test("thisMachine counts the machine's cores, not those that this process may use", () => {
	const machine = thisMachine();
	assert.equal(machine.cores, cpus().length);
	assert.equal(`v${machine.node}`, process.version);
	assert.equal(machine.v8, process.versions.v8);
	assert.ok(machine.cpu.length > 0 && !/\s\s|^\s|\s$/.test(machine.cpu));
	assert.ok(Number.isInteger(machine.memoryGiB));
});

test("machineLine is one line", () => {
	const machine = { cpu: "A", cores: 1, memoryGiB: 4, platform: "linux x64", node: "24.0.0", v8: "13.6" };
	assert.equal(machineLine(machine), "A, 1 core, 4 GiB, linux x64; Node 24.0.0, V8 13.6");
	assert.equal(machineLine({ ...machine, cores: 2 }), "A, 2 cores, 4 GiB, linux x64; Node 24.0.0, V8 13.6");
});
