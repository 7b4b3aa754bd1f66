import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { parseKernelOptions } from "./options.ts";

test("options have defaults and are read", () => {
	assert.deepEqual(parseKernelOptions([]), { json: false, dimensions: [128, 784], seconds: 0.25, kernels: undefined });
	const args = ["--json", "--dimensions", "16,100", "--seconds", "0.5", "--kernels", "topk,distance"];
	assert.deepEqual(parseKernelOptions(args), {
		json: true,
		dimensions: [16, 100],
		seconds: 0.5,
		kernels: ["topk", "distance"],
	});
});

for (const [args, message] of [
	[["--dimensions", "128,abc"], /"abc"/],
	[["--dimensions", "7"], /from 8 to/],
	[["--dimensions", "4097"], /from 8 to/],
	[["--dimensions", "12.5"], /whole numbers/],
	[["--seconds", "0"], /from 0.01 to 60/],
	[["--seconds", "soon"], /"soon"/],
	[["--kernels", "searchGraph"], /the kernels measured here are distance/],
	[["--fast"], /usage:/],
] as const) {
	test(`${args.join(" ")} is refused in words`, () => {
		assert.throws(
			() => parseKernelOptions(args),
			(error) => error instanceof UsageError && message.test(error.message),
		);
	});
}
