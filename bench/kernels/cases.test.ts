import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena } from "@nigh/kernels";
import { KERNEL_CASES, unmeasured, WITHOUT_CASE } from "./cases.ts";

function kernelNames(): string[] {
	const { kernels } = new Arena();
	return Object.entries(kernels).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
}

test("every kernel that the arena offers has a case, or a reason to have none", () => {
	assert.deepEqual(unmeasured(kernelNames()), []);
});

test("a kernel that comes without a case is noticed", () => {
	assert.deepEqual(unmeasured([...kernelNames(), "newKernel"]), ["newKernel"]);
});

test("what is measured or left out with a reason exists, and nothing is both", () => {
	const names = new Set(kernelNames());
	const measured = new Set<string>(KERNEL_CASES.map(({ kernel }) => kernel));
	for (const name of [...measured, ...Object.keys(WITHOUT_CASE)]) assert.ok(names.has(name), `${name} is no kernel`);
	for (const name of Object.keys(WITHOUT_CASE)) assert.ok(!measured.has(name), `${name} has a case and a reason`);
});

test("the distances are measured under l2, ip, l1 and hamming, the code keys in both forms", () => {
	const variants = (kernel: string) =>
		KERNEL_CASES.filter((each) => each.kernel === kernel).map((each) => each.variant);
	for (const kernel of ["distance", "distanceMany", "distanceBlock", "distanceTiles"]) {
		assert.deepEqual(variants(kernel), ["l2", "ip", "l1", "hamming"]);
	}
	for (const kernel of ["codeKeysMany", "codeKeysBlock", "codeKeysTiles"])
		assert.deepEqual(variants(kernel), ["l2", "dot"]);
});
