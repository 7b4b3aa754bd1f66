// Every kernel but those of the graph, beside a loop that only reads the same bytes.
//
//   npm run bench:kernels -- [--json] [--dimensions 128,784] [--seconds S] [--kernels distanceBlock,topk]
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { parseKernelOptions } from "./options.ts";
import { kernelReport } from "./report.ts";

try {
	const { json, ...options } = parseKernelOptions(process.argv.slice(2));
	const onStep = (text: string) => {
		if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
	};
	const { markdown, ...report } = await kernelReport({ ...options, onStep });
	onStep("");
	console.log(json ? JSON.stringify(report, null, "\t") : markdown);
} catch (error) {
	if (!(error instanceof UsageError)) throw error;
	console.error(error.message);
	process.exitCode = 2;
}
